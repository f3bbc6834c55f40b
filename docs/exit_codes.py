"""What an exit code of `luigi --module pipeline …` means, and what to do, in both languages."""

from __future__ import annotations

# A code, or the name that luigi.cfg has for it → language → meaning, what to do.
MEANINGS = {
    "0": {
        "en": ("done, or another run did it first", "nothing"),
        "es": ("terminado, u otra corrida lo hizo antes", "nada"),
    },
    "1, 2": {
        "en": ("unknown task or option", "correct the command line"),
        "es": ("tarea u opción desconocida", "corregir la línea de comandos"),
    },
    "already_running": {
        "en": ("another run has it: flock, or a worker of luigid", "nothing"),
        "es": ("lo tiene otra corrida: flock, o un proceso de luigid", "nada"),
    },
    "missing_data": {
        "en": ("a file from outside is missing; the pipeline needs none", "read the log"),
        "es": ("falta un archivo de fuera; el pipeline no necesita ninguno", "leer el registro"),
    },
    "not_run": {
        "en": (
            "luigid gave no permission",
            "wait: after a killed worker luigid holds a task for about two minutes, and after a "
            "success for ten seconds",
        ),
        "es": (
            "luigid no dio permiso",
            "esperar: si se mata un proceso, luigid retiene la tarea unos dos minutos, y tras un "
            "éxito, diez segundos",
        ),
    },
    "task_failed": {
        "en": (
            "a step failed",
            "read the line that says ERROR; the next run resumes the same window",
        ),
        "es": (
            "falló un paso",
            "leer la línea que dice ERROR; la corrida siguiente retoma la misma ventana",
        ),
    },
    "scheduling_error": {
        "en": (
            "what is due could not be found out",
            "settings, state folder or OLAP: the log names it",
        ),
        "es": (
            "no se pudo saber qué toca correr",
            "configuración, carpeta de estado u OLAP: el registro lo nombra",
        ),
    },
    "unhandled_exception": {
        "en": (
            "luigid cannot be reached, or Luigi itself failed",
            "read the log; `--local-scheduler` does without luigid",
        ),
        "es": (
            "no se llega a luigid, o falló Luigi mismo",
            "leer el registro; `--local-scheduler` no necesita luigid",
        ),
    },
}
