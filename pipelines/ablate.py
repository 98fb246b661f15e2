"""Measure what each data set adds: train relations on Re-DocRED with other sets, and score them on held-out documents.

    python ablate.py ../build/pipeline

The folder has the gold documents that the commands `corpus` and `silver` of `project.yml` write. A model that is in it
already is not trained again.

For Re-DocRED the table has F1 on gold entities at the best of the thresholds 0.05, 0.10, ... For KnowledgeNet it has F1
at that threshold, for the labels that are annotated exhaustively. In the other sets one relation is annotated in each
sentence: for them it has the recall of these, and after a slash the number of predicted relations per sentence.
"""

import argparse
from pathlib import Path

import spacy
from mix import mix
from spacy.cli.train import train

from kgmrca.extraction.relations.component import relation_pipe
from kgmrca.extraction.relations.operating_points import sweep
from kgmrca.extraction.relations.scorer import evaluate

HERE = Path(__file__).parent
PARTIAL = ("wiki80", "fewrel", "text2kg", "knowledgenet")
VARIANTS = {
    "redocred": (),
    "redocred, wiki80, fewrel": ("wiki80", "fewrel"),
    "redocred, text2kg": ("text2kg",),
    "redocred, knowledgenet": ("knowledgenet",),
    "all of these": PARTIAL,
    "all of these, the rest from the teacher": ("silver_rest", "silver_text2kg"),
}
HELD_OUT = ("redocred.dev", "redocred.test", "text2kg.test", *(f"{name}.dev" for name in PARTIAL))


def train_variant(folder: Path, name: str, sets: tuple[str, ...], *, steps: int, seed: int) -> Path:
    """Train on four copies of Re-DocRED and one of each set, unless that is done; return the folder of the model."""
    output = folder / "ablation" / f"{name.replace(', ', '_').replace(' ', '-')}_{seed}"
    if not (output / "model-best").is_dir():
        output.mkdir(parents=True, exist_ok=True)
        inputs = [(folder / "redocred.spacy", 4), *((folder / f"{part}.spacy", 1) for part in sets)]
        mix(inputs, [folder / f"{part}.spacy" for part in HELD_OUT], output / "train.spacy", min_examples=20)
        settings = {
            "paths.train": str(output / "train.spacy"),
            "paths.dev": str(folder / "redocred.dev.spacy"),
            "system.seed": seed,
            "training.max_steps": steps,
            "training.optimizer.learn_rate.total_steps": steps,
            "training.eval_frequency": max(1, steps // 10),
        }
        train(HERE / "relations.cfg", output, overrides=settings)
    return output / "model-best"


def main() -> None:
    """Train and score from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the gold documents are")
    parser.add_argument("--steps", type=int, default=1000, help="of training, each of 2,000 words (default: 1000)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    heads = ["labels", "redocred F1", "knowledgenet F1", "wiki80 recall", "fewrel recall", "text2kg recall"]
    rows = []
    for name, sets in VARIANTS.items():
        nlp = spacy.load(train_variant(options.folder, name, sets, steps=options.steps, seed=options.seed))
        _, pipe = relation_pipe(nlp)
        best = max(sweep(nlp, options.folder / "redocred.dev.spacy"), key=lambda row: row["f"])
        pipe.threshold = best["threshold"]
        found = {
            part: evaluate(nlp, options.folder / f"{part}.dev.spacy", resamples=1)["relations, gold entities"]
            for part in PARTIAL
        }
        recalls = (f"{found[part]['r']:.3f} / {found[part]['given_per_document']:.1f}" for part in PARTIAL[:3])
        rows.append([name, str(len(pipe.labels)), f"{best['f']:.3f}", f"{found['knowledgenet']['f']:.3f}", *recalls])
    for row in (["trained on", *heads], *rows):
        print(f"{row[0]:<40} " + " ".join(f"{cell:>15}" for cell in row[1:]))


if __name__ == "__main__":
    main()
