#include "trigger-runtime/sources/repository.h"

#include <fmt/format.h>
#include <git2.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/json.h"
#include "core/printable.h"

namespace hastur {
namespace {

// libgit2 wants to be started once; it is stopped when the program ends.
class Library {
 public:
  // A repository is read whoever owns it: nothing that stands in its configuration is run.
  Library() {
    git_libgit2_init();
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
  }
  ~Library() { git_libgit2_shutdown(); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
};

void start_library() { static const Library library; }

// One of libgit2's objects, freed when it goes.
template <class Object, void (*free_object)(Object*)>
class Owned {
 public:
  Owned() = default;
  ~Owned() { free_object(object_); }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  Object** put() { return &object_; }
  Object* get() const { return object_; }

 private:
  Object* object_ = nullptr;
};

using OwnedCommit = Owned<git_commit, git_commit_free>;
using OwnedTree = Owned<git_tree, git_tree_free>;
using OwnedBlob = Owned<git_blob, git_blob_free>;
using OwnedObjects = Owned<git_odb, git_odb_free>;
using OwnedObject = Owned<git_object, git_object_free>;
using OwnedIndex = Owned<git_index, git_index_free>;
using OwnedSignature = Owned<git_signature, git_signature_free>;

Failure git_failure(int code, std::string_view operation) {
  const git_error* last = git_error_last();
  return fail(code == GIT_ENOTFOUND ? ErrorCode::not_found : ErrorCode::failed,
              fmt::format("{}: {}", operation,
                          last == nullptr || last->message == nullptr ? "git says no more"
                                                                      : last->message));
}

std::string hex(const git_oid& id) {
  char text[GIT_OID_HEXSZ + 1];
  git_oid_tostr(text, sizeof text, &id);
  return text;
}

bool is_recording(std::string_view path) { return path.ends_with(".jsonl"); }

bool is_script_or_test(std::string_view path) {
  return path.ends_with(".lua") || path.ends_with(".json") || is_recording(path);
}

// No folder of scripts is nested deeper.
constexpr std::ptrdiff_t depth_max = 64;

struct Walk {
  git_repository* repository;
  git_odb* objects;
  CommitFiles* into;
  std::size_t bytes = 0;
  // Why the walk ended before its end, if not for too many bytes.
  std::optional<Error> failed = std::nullopt;
};

std::string utf8(std::string_view text) {
  std::string out;
  append_utf8(out, text);
  return out;
}

// libgit2 calls it for every entry: 1 leaves a folder out, -1 ends the walk.
int take_entry(const char* root, const git_tree_entry* entry, void* payload) {
  Walk& walk = *static_cast<Walk*>(payload);
  const std::string name = git_tree_entry_name(entry);
  if (name.starts_with(".")) return 1;
  const std::string path = root + name;
  const auto problem = [&](std::string_view what) {
    walk.into->problems.push_back(fmt::format("{}: {}", printable(utf8(path)), what));
    return 1;
  };
  // What a damaged repository does not give is no fault of the commit.
  const auto fails = [&](int code) {
    walk.failed = git_failure(code, printable(utf8(path))).error;
    return -1;
  };
  if (git_tree_entry_type(entry) == GIT_OBJECT_TREE) {
    if (std::ranges::count(path, '/') < depth_max) return 0;
    return problem(fmt::format("folders are nested deeper than {}", depth_max));
  }
  if (git_tree_entry_type(entry) == GIT_OBJECT_COMMIT)
    return problem("a submodule is not followed; copy its files");
  if (git_tree_entry_filemode(entry) == GIT_FILEMODE_LINK)
    return problem("a link is not followed; copy what it points at");
  if (!is_script_or_test(path)) return 0;

  std::size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  // Before anything is unpacked: a megabyte may become gigabytes.
  if (const int code = git_odb_read_header(&size, &type, walk.objects, git_tree_entry_id(entry)))
    return fails(code);
  const std::size_t size_max = is_recording(path) ? git_recording_bytes_max : git_file_bytes_max;
  if (size > size_max) return problem(fmt::format("larger than {} bytes", size_max));
  walk.bytes += size;
  if (walk.bytes > git_commit_bytes_max) {
    problem(
        fmt::format("with it the commit's scripts have more than {} bytes", git_commit_bytes_max));
    return -1;
  }
  OwnedBlob blob;
  if (const int code = git_blob_lookup(blob.put(), walk.repository, git_tree_entry_id(entry)))
    return fails(code);
  std::string text(static_cast<const char*>(git_blob_rawcontent(blob.get())),
                   static_cast<std::size_t>(git_blob_rawsize(blob.get())));
  if (!is_utf8(path)) return problem("the name is not UTF-8");
  if (!is_utf8(text)) return problem("it is not UTF-8 text");
  walk.into->files.emplace(path, std::move(text));
  return 0;
}

}  // namespace

bool is_branch_name(const std::string& name) {
  start_library();
  int is_valid = 0;
  return git_branch_name_is_valid(&is_valid, name.c_str()) == 0 && is_valid == 1;
}

void GitRepository::Free::operator()(git_repository* repository) const {
  git_repository_free(repository);
}

Result<GitRepository> GitRepository::open(const std::string& path) {
  start_library();
  git_repository* repository = nullptr;
  if (const int code = git_repository_open_ext(&repository, path.c_str(),
                                               GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr))
    return git_failure(code, fmt::format("cannot open the repository {}", path));
  return GitRepository(repository);
}

Result<GitRepository> GitRepository::open_from_environment() {
  start_library();
  git_repository* repository = nullptr;
  if (const int code =
          git_repository_open_ext(&repository, nullptr, GIT_REPOSITORY_OPEN_FROM_ENV, nullptr))
    return git_failure(code, "cannot open the repository that this hook runs in");
  return GitRepository(repository);
}

Result<GitRepository> GitRepository::init_bare(const std::string& path, const std::string& branch) {
  start_library();
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_empty(path, ignored)) {
    return fail(ErrorCode::conflict,
                fmt::format("cannot make a repository in {}: it is there and not empty", path));
  }
  git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
  options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH;
  options.initial_head = branch.c_str();
  git_repository* repository = nullptr;
  if (const int code = git_repository_init_ext(&repository, path.c_str(), &options))
    return git_failure(code, fmt::format("cannot make a repository in {}", path));
  return GitRepository(repository);
}

std::string GitRepository::folder() const { return git_repository_path(repository_.get()); }

Result<std::optional<std::string>> GitRepository::tip(const std::string& branch) const {
  git_oid id;
  const std::string name = "refs/heads/" + branch;
  const int code = git_reference_name_to_id(&id, repository_.get(), name.c_str());
  if (code == GIT_ENOTFOUND) return std::optional<std::string>();
  if (code != 0)
    return git_failure(code, fmt::format("cannot read the branch {} of {}", branch, folder()));
  return std::optional(hex(id));
}

Result<std::string> GitRepository::resolve(const std::string& name) const {
  OwnedObject object, commit;
  int code = git_revparse_single(object.put(), repository_.get(), name.c_str());
  if (code == 0) code = git_object_peel(commit.put(), object.get(), GIT_OBJECT_COMMIT);
  // What is no name, or one of several things or of something else, names no commit.
  if (code == GIT_EINVALIDSPEC || code == GIT_EAMBIGUOUS || code == GIT_EPEEL) code = GIT_ENOTFOUND;
  if (code != 0) return git_failure(code, fmt::format("{} has no commit '{}'", folder(), name));
  return hex(*git_object_id(commit.get()));
}

Result<CommitFiles> GitRepository::read(const std::string& commit) const {
  const std::string operation = fmt::format("cannot read the commit {} of {}", commit, folder());
  git_oid id;
  OwnedCommit found;
  OwnedTree tree;
  int code = git_oid_fromstr(&id, commit.c_str());
  if (code == 0) code = git_commit_lookup(found.put(), repository_.get(), &id);
  if (code == 0) code = git_commit_tree(tree.put(), found.get());
  if (code != 0) return git_failure(code, operation);
  CommitFiles files;
  files.commit = commit;
  files.author = utf8(git_commit_author(found.get())->name);
  const char* summary = git_commit_summary(found.get());
  files.subject = summary == nullptr ? "" : utf8(summary);
  files.time = time_from_us(git_commit_time(found.get()) * us_per_second);
  OwnedObjects objects;
  code = git_repository_odb(objects.put(), repository_.get());
  if (code != 0) return git_failure(code, operation);
  Walk walk{repository_.get(), objects.get(), &files};
  code = git_tree_walk(tree.get(), GIT_TREEWALK_PRE, take_entry, &walk);
  if (walk.failed) return fail(walk.failed->code, operation + ": " + walk.failed->message);
  // The walk ends itself where there is too much, which is said among the problems.
  if (code != 0 && walk.bytes <= git_commit_bytes_max) return git_failure(code, operation);
  return files;
}

Result<bool> GitRepository::contains(const std::string& commit, const std::string& old) const {
  if (commit == old) return true;
  git_oid newer, older;
  if (git_oid_fromstr(&newer, commit.c_str()) != 0 || git_oid_fromstr(&older, old.c_str()) != 0)
    return false;
  OwnedCommit there;
  if (git_commit_lookup(there.put(), repository_.get(), &older) != 0) return false;
  const int code = git_graph_descendant_of(repository_.get(), &newer, &older);
  if (code < 0)
    return git_failure(code, fmt::format("cannot read the history of {} in {}", commit, folder()));
  return code == 1;
}

Result<std::string> GitRepository::commit(const std::string& branch,
                                          const std::map<std::string, std::string>& files,
                                          const std::string& message, const std::string& author,
                                          Time time) {
  const std::string operation = fmt::format("cannot make a commit in {}", folder());
  OwnedIndex index;
  int code = git_index_new(index.put());
  for (const auto& [path, text] : files) {
    if (code != 0) break;
    git_index_entry entry{};
    entry.path = path.c_str();
    entry.mode = GIT_FILEMODE_BLOB;
    code = git_blob_create_from_buffer(&entry.id, repository_.get(), text.data(), text.size());
    if (code == 0) code = git_index_add(index.get(), &entry);
  }
  git_oid tree_id, id;
  OwnedTree tree;
  if (code == 0) code = git_index_write_tree_to(&tree_id, index.get(), repository_.get());
  if (code == 0) code = git_tree_lookup(tree.put(), repository_.get(), &tree_id);
  OwnedSignature who;
  if (code == 0)
    code = git_signature_new(who.put(), author.c_str(), "hastur@localhost",
                             to_us(time) / us_per_second, 0);
  if (code != 0) return git_failure(code, operation);
  const auto before = tip(branch);
  if (!before) return fail(before.error());
  OwnedCommit parent;
  if (*before) {
    git_oid parent_id;
    code = git_oid_fromstr(&parent_id, (*before)->c_str());
    if (code == 0) code = git_commit_lookup(parent.put(), repository_.get(), &parent_id);
    if (code != 0) return git_failure(code, operation);
  }
  const git_commit* parents[] = {parent.get()};
  const std::string name = "refs/heads/" + branch;
  code = git_commit_create(&id, repository_.get(), name.c_str(), who.get(), who.get(), nullptr,
                           message.c_str(), tree.get(), *before ? 1 : 0, parents);
  if (code != 0) return git_failure(code, operation);
  return hex(id);
}

}  // namespace hastur
