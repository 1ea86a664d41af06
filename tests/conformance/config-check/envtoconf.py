#!/usr/bin/python3
"""What envtoconf.py does in the images of apache/hadoop and apache/ozone, written anew.

    envtoconf.py hadoop|ozone FOLDER

Makes the config files of its environment, as they are described in docs/env-convention.md and known
from runs of both programs. It escapes nothing, and loses what they lose.
"""

import os
import re
import sys

FORMATS = ("xml", "properties", "yaml", "yml", "env", "sh", "cfg", "conf")


def collected():
    """Lines of `key: value` by the name before the dot, which has one extension and format: the last."""
    lines, kinds = {}, {}
    for variable, value in os.environ.items():
        pieces = re.split(r"[._]", variable)
        if variable == "HADOOP_CONF_DIR" or len(pieces) < 2:
            continue
        base, words = pieces[0].lower(), pieces[1].lower().split("!")[:2]
        if words[0] not in FORMATS:
            continue
        kinds[base] = (words[0], words[-1])
        key = variable[len(base) + len("".join(words)) + len(words) + 1 :].strip()
        lines.setdefault((base, words[0]), []).append(f"{key}: {value}\n")
    return [(base, *kinds[base], lines[base, kinds[base][0]]) for base in kinds]


def entries(path):
    """What is read of those lines again, after they went through a file."""
    with open(path) as file:
        text = file.read()
    found = {}
    for line in map(str.strip, text.split("\n")):
        if line and not line.startswith("#"):
            key, _, value = line.partition(": ")
            found[key.strip()] = value.strip().strip('"')
    return found


def tree(found):
    """A text, a list or a dict of such; who comes first decides, and a clash ends the launcher."""
    root = {}
    for path, value in found.items():
        pieces = path.split(".")
        if pieces[0].isdigit():
            raise TypeError(path)
        here = root
        for piece, below in zip(pieces, pieces[1:]):
            here = here.setdefault(piece, [] if below.isdigit() else {})
        if isinstance(here, list):
            here.append(value)
        else:
            here[pieces[-1]] = value
    return root


def yaml(node, indent=""):
    if isinstance(node, list):
        return "".join(f"{indent}    - {item}\n" for item in node)
    text = ""
    for key, value in node.items():
        if isinstance(value, str):
            text += f"{indent}{key}: {value}\n"
        else:
            below = indent if isinstance(value, list) else indent + "   "
            text += f"{indent}{key}: \n{yaml(value, below)}"
    return text


def rendered(product, form, found):
    if form in ("yaml", "yml"):
        text = yaml(tree(found))
        return "" if product == "ozone" else text
    if form == "xml":
        block = "<property><name>{}</name><value>{}</value></property>\n"
        body = "".join(block.format(*pair) for pair in found.items())
        return f"<configuration>\n{body}</configuration>"
    line = {
        "properties": "{}: {}\n",
        "env": "{}={}\n",
        "cfg": "{}={}\n",
        "sh": 'export {}="{}"\n',
        "conf": "export {}={}\n",
    }[form]
    return "".join(line.format(*pair) for pair in found.items())


def main(product, folder):
    for base, extension, form, lines in collected():
        path = os.path.join(folder, f"{base}.{extension}")
        with open(path + ".raw", "w") as file:
            file.writelines(lines)
        text = rendered(product, form, entries(path + ".raw"))
        with open(path, "w") as file:
            file.write(text)
        os.remove(path + ".raw")


main(*sys.argv[1:])
