#pragma once

// The one wrapper of libcurl's header in this layer: owners of its handles.

#include <curl/curl.h>

#include <memory>
#include <utility>

namespace hastur {

template <auto free>
struct CurlFree {
  template <class T>
  void operator()(T* held) const {
    free(held);
  }
};

using CurlEasy = std::unique_ptr<CURL, CurlFree<curl_easy_cleanup>>;
using CurlMulti = std::unique_ptr<CURLM, CurlFree<curl_multi_cleanup>>;
using CurlUrl = std::unique_ptr<CURLU, CurlFree<curl_url_cleanup>>;
using CurlText = std::unique_ptr<char, CurlFree<curl_free>>;

// A list of header lines or recipients.
class CurlList {
 public:
  CurlList() = default;
  CurlList(CurlList&& other) noexcept : head_(std::exchange(other.head_, nullptr)) {}
  CurlList& operator=(CurlList&&) = delete;
  ~CurlList() { curl_slist_free_all(head_); }
  void append(const char* line) {
    if (curl_slist* grown = curl_slist_append(head_, line)) head_ = grown;
  }
  curl_slist* get() const { return head_; }

 private:
  curl_slist* head_ = nullptr;
};

}  // namespace hastur
