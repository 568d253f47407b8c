"""``python -m espace_web api|migrate``."""

from espace.program import Program
from espace_web.settings import WebSettings

if __name__ == "__main__":
    Program("web", settings=WebSettings, api="espace_web.app:create_app").main()
