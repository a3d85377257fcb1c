"""Certificates for tests: an authority, and what it vouches for. Files beneath one directory, keys of mode 0600."""
import os
import subprocess


def openssl(*args, **kw):
    subprocess.run(["openssl", *args], check=True, capture_output=True, **kw)


class Authority:
    def __init__(self, folder, name="ca"):
        self.folder, self.name = folder, name
        os.makedirs(folder, exist_ok=True)
        self.ca, self.key = self.path(name + ".pem"), self.path(name + ".key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                "-keyout", self.key, "-out", self.ca)

    def path(self, name):
        return os.path.join(self.folder, name)

    def vouch(self, name, names="DNS:localhost,IP:127.0.0.1", days=2):
        """(certificate, key) of a name; names: of its hosts, and others."""
        cert, key, request, more = (self.path(f"{name}.{x}") for x in ("pem", "key", "csr", "ext"))
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        os.chmod(key, 0o600)
        with open(more, "w") as f:
            f.write(f"subjectAltName={names}\n")
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.key, "-CAcreateserial", "-days", str(days), "-extfile", more, "-out", cert)
        return cert, key
