"""Superset's settings for the demo and the tests; read by Superset's own Python, not by ours."""

import json
import os
from pathlib import Path

_HOME = Path(os.environ["PIPELINE_SUPERSET_HOME"])
_LOGIN = json.loads((_HOME / "login.json").read_text(encoding="utf-8"))

SECRET_KEY = _LOGIN["secret_key"]
SQLALCHEMY_DATABASE_URI = f"sqlite:///{_HOME / 'superset.db'}?check_same_thread=false"
# It answers on 127.0.0.1 alone, without TLS.
TALISMAN_ENABLED = False
BABEL_DEFAULT_LOCALE = "es"
LANGUAGES = {
    "es": {"flag": "es", "name": "Español"},
    "en": {"flag": "us", "name": "English"},
}
# Answers are kept for a day, as a shop would have it: a window must renew them.
CACHE_CONFIG = {
    "CACHE_TYPE": "FileSystemCache",
    "CACHE_DIR": str(_HOME / "cache"),
    "CACHE_DEFAULT_TIMEOUT": 86_400,
    "CACHE_KEY_PREFIX": "meta_",
}
DATA_CACHE_CONFIG = {**CACHE_CONFIG, "CACHE_KEY_PREFIX": "data_"}
