#!/bin/sh
# Makes the certificates of the tests anew: an authority, a server for localhost, receiver.test and 127.0.0.x,
# and a client. They guard nothing: their keys are public with this repository.
set -eu
cd "$(dirname "$0")"
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }
key ca-key.pem
openssl req -x509 -new -key ca-key.pem -subj '/CN=Waybill test authority' -days 36500 -out ca.pem
issue() { # name, subject, extensions, days
  key "$1-key.pem"
  openssl req -new -key "$1-key.pem" -subj "$2" -out "$1.csr"
  printf '%s\n' "$3" > "$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days "$4" -extfile "$1.ext" -out "$1.pem"
  rm "$1.csr" "$1.ext"
}
names='subjectAltName=DNS:localhost,DNS:receiver.test,IP:127.0.0.1,IP:127.0.0.2'
issue server '/CN=receiver.test' "$names" 36500
issue client '/CN=waybill test client' 'extendedKeyUsage=clientAuth' 36500
rm ca-key.pem ca.srl
