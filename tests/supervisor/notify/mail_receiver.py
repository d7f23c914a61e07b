#!/usr/bin/python3
"""mail_receiver.py [CERTIFICATE KEY]: a mail server on an ephemeral port of loopback.

Says "port: N", then "mail 1: " and each mail as a line of JSON: {"from", "to", "text", "user"}. With a certificate it
wants STARTTLS and a login (user "hastur", password "l3tm3in"). It refuses recipients that begin with "nobody" for good,
those that begin with "later" for now, those that begin with "once" the first time for now, and mails that begin with
"busy" in their subject for now.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Receiver:
    seen = set()
    taken = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 5.1.1 no such user"
        if address.startswith("later"):
            return "451 4.3.0 try later"
        if address.startswith("once") and address not in self.seen:
            self.seen.add(address)
            return "451 4.7.1 greylisted"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        text = envelope.content.decode("utf-8", "replace")
        if "\nSubject: busy" in text:
            return "452 4.2.2 busy"
        Receiver.taken += 1
        mail = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "text": text, "user": session.auth_data or ""}
        print(f"mail {Receiver.taken}: " + json.dumps(mail), flush=True)
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.password == b"l3tm3in"
    return AuthResult(success=good, handled=good, auth_data=data.login.decode() if good else None)


async def main(certificate=None, key=None):
    options = {}
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        options = {"tls_context": context, "require_starttls": True, "auth_required": True,
                   "authenticator": authenticate}
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(Receiver(), hostname="localhost", **options), "127.0.0.1", 0)
    print(f"port: {server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
