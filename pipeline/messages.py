"""What people are told of a run, in each language: templates, and nothing else."""

from __future__ import annotations

# Every language has the same names with the same placeholders; a test says so.
MESSAGES: dict[str, dict[str, str]] = {
    "es": {
        "failed.title": "ETL {shop}: la corrida falló",
        "failed.body": "Qué falló: {step}\nVentana: {window}\nCausa: {cause}\n"
        "Qué hacer: corrija la causa y luego escriba: {command}\n"
        "Nada quedó a medias; la próxima corrida retoma la misma ventana. "
        "Mientras la causa sea la misma, se avisa una vez cada {hours} h.",
        "apart.title": "ETL {shop}: {step} no terminó bien",
        "apart.body": "Qué falló: {step}\nCausa: {cause}\n"
        "Qué hacer: corrija la causa y luego escriba: {command}\n"
        "Mientras la causa sea la misma, se avisa una vez cada {hours} h.",
        "recovered.title": "ETL {shop}: las corridas funcionan de nuevo",
        "recovered.body": "La corrida terminó bien. Fallaban desde {since} (UTC).",
        "digest.title": "ETL {shop}: la corrida terminó bien",
        "digest.window": "{window}: {loaded} nuevos o cambiados, {removed} retirados, "
        "{rejected} rechazados, {revalued} revaluados; {seconds} s; corrida {run_id}",
        "digest.superseded": "{window}: otra corrida cargó primero; no se cargó nada",
        "digest.nothing": "No había nada pendiente.",
        "no_window": "ninguna: no se pudo averiguar qué toca",
        "no_cause": "vea el registro de la corrida",
    },
    "en": {
        "failed.title": "ETL {shop}: the run failed",
        "failed.body": "What failed: {step}\nWindow: {window}\nCause: {cause}\n"
        "What to do: mend the cause, then type: {command}\n"
        "Nothing is left half done; the next run resumes the same window. "
        "While the cause stays the same, you are told once in {hours} h.",
        "apart.title": "ETL {shop}: {step} did not end well",
        "apart.body": "What failed: {step}\nCause: {cause}\n"
        "What to do: mend the cause, then type: {command}\n"
        "While the cause stays the same, you are told once in {hours} h.",
        "recovered.title": "ETL {shop}: the runs work again",
        "recovered.body": "The run succeeded. They had failed since {since} (UTC).",
        "digest.title": "ETL {shop}: the run succeeded",
        "digest.window": "{window}: {loaded} new or changed, {removed} removed, "
        "{rejected} rejected, {revalued} revalued; {seconds} s; run {run_id}",
        "digest.superseded": "{window}: another run loaded first; nothing was loaded",
        "digest.nothing": "Nothing was due.",
        "no_window": "none: what is due could not be found out",
        "no_cause": "see the log of the run",
    },
}


def say(language: str, name: str, **values: object) -> str:
    """A message in `language` ('es' or 'en'); raises KeyError when a placeholder is missing."""
    return MESSAGES[language][name].format(**values)
