"""Documents: a compiled pipeline as the text of a file, and by kfp's own definitions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from penstock.errors import CannotRun
from penstock.stack.install import library

if TYPE_CHECKING:
    from penstock_kubeflow.compiling import Compiled

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_WORDS: Final = frozenset(("true", "false", "yes", "no", "on", "off", "y", "n", "null"))
_quoted: Final = json.JSONEncoder(ensure_ascii=False).encode
_NOT_PRINTED: Final = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""What YAML wants escaped, and JSON does not."""


def text(compiled: Compiled) -> str:
    """YAML: the pipeline, and as a second document what is of Kubernetes."""
    documents = [compiled.spec, *([compiled.platform] if compiled.platform else [])]
    return "---\n".join("".join(_lines(each, "")) for each in documents)


def _lines(value: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, item in sorted(value.items()):
        yield from _entry(f"{indent}{_scalar(key)}:", item, indent)


def _entry(head: str, item: Any, indent: str) -> Iterator[str]:
    if isinstance(item, Mapping) and item:
        yield f"{head}\n"
        yield from _lines(item, f"{indent}  ")
    elif isinstance(item, list | tuple) and item:
        yield f"{head}\n"
        for each in item:
            yield from _item(each, indent)
    else:
        yield f"{head} {_scalar(item)}\n"


def _item(value: Any, indent: str) -> Iterator[str]:
    """One of a list: its first line begins with a dash."""
    if isinstance(value, Mapping) and value:
        first, *rest = _lines(value, f"{indent}  ")
        yield f"{indent}- {first.lstrip(' ')}"
        yield from rest
    else:
        yield f"{indent}- {_scalar(value)}\n"


def _scalar(value: Any) -> str:
    """On one line. What JSON writes in quotes is the same in YAML."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_text(key)}: {_scalar(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_scalar, value))}]"
    if isinstance(value, float) and "e" in (text := _quoted(value)) and "." not in text:
        return text.replace("e", ".0e")  # without a point it would be read as text
    return _text(value) if isinstance(value, str) else _quoted(value)


def _text(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return _NOT_PRINTED.sub(lambda match: f"\\u{ord(match[0]):04x}", _quoted(value))


def checked(compiled: Compiled) -> None:
    """Raise `CannotRun` unless kfp's own definitions know all of it, `MissingExtra` without kfp."""
    spec, platform = compiled.spec, compiled.platform
    proto = _protobuf("kfp.pipeline_spec.pipeline_spec_pb2")
    kubernetes = _protobuf("kfp.kubernetes.kubernetes_executor_config_pb2")
    _parsed(spec, proto.PipelineSpec(), "the pipeline")
    _parsed(spec["deploymentSpec"], proto.PipelineDeploymentConfig(), "its containers")
    if platform:
        _parsed(platform, proto.PlatformSpec(), "what is of Kubernetes")
        found = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
        for name, config in found.items():
            _parsed(config, kubernetes.KubernetesExecutorConfig(), f"what is of Kubernetes, {name}")


def _protobuf(module: str) -> Any:
    return library(module, extra="kubeflow", who="The flavor 'kubeflow'")


def _parsed(data: Mapping[str, Any], message: Any, what: str) -> None:
    from google.protobuf import json_format  # comes with kfp

    try:
        json_format.ParseDict(data, message)
    except json_format.ParseError as error:
        raise CannotRun(f"kfp does not know {what} as it is written here: {error}") from error
