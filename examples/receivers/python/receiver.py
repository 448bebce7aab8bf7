# A receiver of Waybill's webhooks: pip install standardwebhooks; WEBHOOK_SECRET=whsec_… PORT=8000 python receiver.py
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from standardwebhooks import Webhook

webhook = Webhook(os.environ["WEBHOOK_SECRET"])
seen = set()  # In earnest: a table with webhook-id as its unique key, written in the transaction of your work.


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # Keeps connections for the next webhook.

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))  # As it came: parsing first breaks the signature.
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            event = webhook.verify(body, headers)  # Raises also when it is older than five minutes.
        except Exception:
            return self.answer(401)
        if headers["webhook-id"] not in seen:
            seen.add(headers["webhook-id"])
            print(headers["webhook-id"], event["event"], "of order", event["order_id"], flush=True)  # Your work.
        self.answer(204)  # A repeat is acknowledged too, or it comes again.

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), Receiver)
print("listening", flush=True)
server.serve_forever()
