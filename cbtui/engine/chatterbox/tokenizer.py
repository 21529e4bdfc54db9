"""The multilingual tokenizer, from local files only, and loud about what a language lacks.

The library's own asks a hub for its tables while it is constructed, whatever the language, and goes on without them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chatterbox.models.tokenizers import MTLTokenizer
from chatterbox.models.tokenizers.tokenizer import ChineseCangjieConverter

from cbtui.engine.chatterbox.languages import LanguageUnavailable, require_helper


class LocalMultilingualTokenizer(MTLTokenizer):  # type: ignore[misc]
    """`MTLTokenizer`, whose Chinese tables are read when Chinese is first spoken, from beside the vocabulary."""

    def __init__(self, vocabulary: Path) -> None:
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(vocabulary))
        self._tables = vocabulary.parent / "Cangjie5_TC.json"
        self._chinese: _LocalCangjieConverter | None = None
        self.check_vocabset_sot_eot()

    def cangjie_converter(self, text: str) -> str:
        """Chinese characters as Cangjie codes. Raises LanguageUnavailable."""
        if self._chinese is None:
            self._chinese = _LocalCangjieConverter(self._tables)
        return str(self._chinese(text))

    def encode(self, txt: str, language_id: str | None = None, **options: Any) -> list[int]:
        require_helper(language_id or "")
        return list(super().encode(txt, language_id=language_id, **options))


class _LocalCangjieConverter(ChineseCangjieConverter):  # type: ignore[misc]
    def _load_cangjie_mapping(self, model_dir: Path) -> None:
        try:
            entries = json.loads(model_dir.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise LanguageUnavailable(
                f"language zh needs the table {model_dir} ({error}). Download it beside the multilingual checkpoint."
            ) from error
        for entry in entries:
            word, code = entry.split("\t")[:2]
            self.word2cj[word] = code
            self.cj2word.setdefault(code, []).append(word)

    def _init_segmenter(self) -> None:
        from spacy_pkuseg import pkuseg
        from spacy_pkuseg.config import config

        model = Path(config.pkuseg_home) / "spacy_ontonotes"
        if not model.is_dir():
            raise LanguageUnavailable(
                f"language zh needs the word segmentation model of spacy-pkuseg in {model}. With a network, once: "
                'python -c "import spacy_pkuseg; spacy_pkuseg.pkuseg()"'
            )
        self.segmenter = pkuseg()
