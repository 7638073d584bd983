"""Writes NAME.json for each NAME.ini here: what CPython's RawConfigParser reads in it.

python3 golden.py; needed only when an .ini is added. The .ini files are read as the old services
read them, as UTF-8 with universal newlines.
"""
import configparser, json, pathlib

for path in sorted(pathlib.Path(__file__).parent.glob("*.ini")):
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
        said = {s: dict(parser._sections[s]) for s in parser.sections()}
        result = {"defaults": dict(parser.defaults()), "sections": said}
    except configparser.Error as error:
        result = {"error": type(error).__name__}
    text = json.dumps(result, indent=2, ensure_ascii=False)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
