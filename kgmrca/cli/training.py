"""The commands for training and scoring: `corpus`, `evaluate` and `calibrate`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from kgmrca.cli.options import Pipeline, load_pipeline, opened_if_named
from kgmrca.errors import InputError
from kgmrca.files import check_folder, check_outputs, whole_folder


def corpus_command(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT...",
            help="Annotated data: JSON Lines or a JSON array, perhaps gzipped. Either DocRED's format (title, sents, "
            "vertexSet, labels) or sentences (id, tokens, entities, relations). Either may name the relations that are "
            "annotated exhaustively (exhaustive). A relations.tsv beside a file (columns "
            "relation, wikidata_pid, label) names its relations.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="The .spacy file to write.")],
    dev: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Put a part of the documents into this .spacy file instead."),
    ] = None,
    dev_share: Annotated[
        float, typer.Option(min=0, max=1, help="How large that part is; which documents is fixed by their ids.")
    ] = 0.1,
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Names of the relations as SSSOM TSV (like ontologies/knowledgenet.sssom.tsv), not relations.tsv.",
        ),
    ] = None,
    partial: Annotated[
        bool,
        typer.Option(
            "--partial", help="Some relations and their entities are labelled, others may hold: silence is no 'no'."
        ),
    ] = False,
) -> None:
    """Turn annotated relation data into gold documents to train on and to score with.

    \b
    Examples:
      kgmrca corpus dev.jsonl.gz -o train.spacy --dev dev.spacy
      kgmrca corpus wiki80/train.jsonl.gz --partial -o wiki80.spacy
      kgmrca corpus knowledgenet/train.jsonl.gz --mapping knowledgenet.sssom.tsv -o knowledgenet.spacy
    """
    from kgmrca.corpora.annotated import write_gold

    counts, left_out = write_gold(inputs, output, dev=dev, dev_share=dev_share, mapping=mapping, partial=partial)
    for path, (documents, relations) in counts.items():
        print(f"kgmrca: {documents:,} documents, {relations:,} relations -> {path}", file=sys.stderr)
    for predicate, count in left_out.most_common():
        print(f"kgmrca: {count:,} relations '{predicate}' left out: no one label stands for them.", file=sys.stderr)


def evaluate_command(
    pipeline: Pipeline,
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Gold documents, made by `kgmrca corpus`.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write all scores here, as JSON.")
    ] = None,
    thresholds: Annotated[
        bool,
        typer.Option(
            "--thresholds", help="Score the relations on gold entities at thresholds from 0.05 to 0.95 instead."
        ),
    ] = False,
    per_label: Annotated[
        bool, typer.Option("--per-label", help="Print the scores of each entity type and relation too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all scores as JSON instead of the table.")] = False,
    resamples: Annotated[
        int, typer.Option(min=1, help="How many times the documents are drawn anew for the intervals.")
    ] = 1000,
) -> None:
    """Score a pipeline: its entities, its relations on gold entities, and what comes out of raw text.

    P, R and F1 are micro scores; in brackets their 95 % intervals, were other documents of this kind drawn.

    \b
    Examples:
      kgmrca evaluate en_kgmrca_sm test.spacy -o scores.json
      kgmrca evaluate training/model-best dev.spacy --thresholds
    """
    import json

    from kgmrca.extraction.relations.operating_points import sweep
    from kgmrca.extraction.relations.scorer import evaluate, table

    if thresholds and per_label:
        raise InputError("--per-label goes without --thresholds, which has no scores of single labels.")
    check_outputs([output], [data, pipeline], what="read", takes=Path.exists)
    with opened_if_named(output) as stream:  # what cannot be written is said before the work
        nlp = load_pipeline(pipeline)
        if thresholds:
            rows = sweep(nlp, data)
            text = "\n".join(
                f"{row['threshold']:<24} P {row['p']:.3f}  R {row['r']:.3f}  F1 {row['f']:.3f}" for row in rows
            )
            written = json.dumps(rows, indent=2)
        else:
            scores = evaluate(nlp, data, resamples=resamples)
            text = table(scores, labels=per_label)
            written = json.dumps(scores, indent=2)
        if stream:
            stream.write(f"{written}\n".encode())
    print(written if as_json else text)


def calibrate_command(
    pipeline: Pipeline,
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DEV", help="Gold documents, made by `kgmrca corpus`, neither trained on nor to be reported on."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="The folder to write; it may be a pipeline already.")
    ],
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the scores' reliability before and after, as PNG.")
    ] = None,
) -> None:
    """Make a pipeline's scores mean something, and find its thresholds "precise", "balanced" and "complete".

    Of the relations given with a score of 0.8, about 80 % are right then. What was chosen as threshold before is
    forgotten: scores change, and it becomes "balanced".

    \b
    Example:
      kgmrca calibrate training/model-best dev.spacy -o calibrated --plot reliability.png
    """

    from kgmrca.extraction.relations.calibration import draw, figure_class
    from kgmrca.extraction.relations.operating_points import calibrate

    check_folder(output)
    check_outputs([plot], [data, output, pipeline], what="read or written", takes=Path.exists)
    if output.exists() and not (output / "meta.json").is_file():
        raise InputError(f"'{output}' is there already and is no pipeline: name another folder.")
    if output.exists() and Path(pipeline).exists() and output.samefile(pipeline):
        raise InputError(f"'{output}' is the PIPELINE and would be overwritten: name another folder.")
    if plot:
        figure_class()  # says that matplotlib is missing before the work
    with opened_if_named(plot) as stream:
        nlp = load_pipeline(pipeline)
        found = calibrate(nlp, data)
        if stream:
            draw(found.before, found.after, stream)
        vocab = load_pipeline(pipeline).vocab  # this pipeline's has the words of the gold documents now
        with whole_folder(output) as folder:
            nlp.to_disk(folder, exclude=["vocab"])
            vocab.to_disk(folder / "vocab")
    print(found.table())
