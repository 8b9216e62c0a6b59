"""What the checklist, the swap and the decommissioning refuse: code, exit code, English, French."""

from . import exit_codes as end

_JOBS = {
    "no_job": (
        end.FAILED,
        "There is no claimed job here of this kind ({kinds}). With a network: guelta field sync.",
        "Il n’y a ici aucune intervention de ce genre ({kinds}). Avec du réseau : guelta field sync.",
    ),
    "several_jobs": (
        end.USAGE,
        "--job: there are several: {jobs}. Say which.",
        "--job : il y en a plusieurs : {jobs}. Dites laquelle.",
    ),
    "job_unknown": (
        end.FAILED,
        "--job: {job_id} is not on this laptop. With a network: guelta field sync.",
        "--job : {job_id} n’est pas sur ce portable. Avec du réseau : guelta field sync.",
    ),
    "job_kind": (
        end.USAGE,
        "--job: {job_id} is a job of the kind {kind}: guelta field {verb}.",
        "--job : {job_id} est une intervention du genre {kind} : guelta field {verb}.",
    ),
    "job_not_claimed": (
        end.FAILED,
        "This job was not claimed yet: its keys are not here. With a network: guelta field sync.",
        "Cette intervention n’est pas encore prise : ses clés ne sont pas là. Avec du réseau : guelta field sync.",
    ),
    "journal_other_job": (
        end.FAILED,
        "{file} is the journal of another job ({found}), not of {job_id}; nothing was changed. Move it away.",
        "{file} est le journal d’une autre intervention ({found}), pas de {job_id} ; rien n’a été changé. Déplacez-le.",
    ),
    "journal_other_device": (
        end.FAILED,
        "{file} is the journal of meter {found}, and the job is for {expected}; nothing was changed."
        " Call the office: the job was altered.",
        "{file} est le journal du compteur {found}, et l’intervention est pour {expected} ; rien n’a été changé."
        " Appelez le bureau : l’intervention a changé.",
    ),
    "tool_key_open": (
        end.FAILED,
        "{file} can be read by others on this machine: whoever copied it signs as you. Tell the office, delete it,"
        " then: guelta field enrol.",
        "{file} peut être lu par d’autres sur cette machine : qui l’a copié signe à votre place. Dites-le au bureau,"
        " effacez-le, puis : guelta field enrol.",
    ),
    "identity_incomplete": (
        end.FAILED,
        "What the office gave for this meter lacks {field}; nothing was written. With a network: guelta field sync;"
        " then ask for a new job in place of {job_id}.",
        "Il manque {field} à ce que le bureau a donné pour ce compteur ; rien n’a été écrit. Avec du réseau : guelta"
        " field sync ; puis demandez une nouvelle intervention à la place de {job_id}.",
    ),
}

_ANSWERS = {
    "answers_form": (
        end.USAGE,
        '--answers: {file} is not a JSON object of texts, numbers and true or false, such as {{"seal.number": "A-17"}}.'
        " --dry-run names all answers.",
        "--answers : {file} n’est pas un objet JSON de textes, nombres et true ou false, comme"
        ' {{"seal.number": "A-17"}}. --dry-run nomme toutes les réponses.',
    ),
    "answer_missing": (
        end.USAGE,
        "--answers: {name} is missing ({question}). Add it and give the same command: what is done is kept.",
        "--answers : il manque {name} ({question}). Ajoutez-la et redonnez la même commande : ce qui est fait est"
        " gardé.",
    ),
    "answer_wrong": (
        end.USAGE,
        "--answers: {name}: {why}",
        "--answers : {name} : {why}",
    ),
}

_METERS = {
    "step_failed": (
        end.NOT_VERIFIED,
        "The step {step} failed ({reason}). Put it right and give the same command: it goes on there.",
        "L’étape {step} a échoué ({reason}). Corrigez et redonnez la même commande : elle reprend là.",
    ),
    "blank_again": (
        end.FAILED,
        "This box is blank, but the checklist has made meter {meter_id} already: it is another box. Plug in the one you"
        " began with. If that is lost, the office cancels the job and makes a new one.",
        "Cette boîte est vierge, mais la liste a déjà fait le compteur {meter_id} : c’est une autre boîte. Branchez"
        " celle du début. Si elle est perdue, le bureau annule l’intervention et en fait une nouvelle.",
    ),
    "box_exchanged": (
        end.FAILED,
        "Meter {meter_id} may be in the first box already, and two boxes must never be one meter. Plug in the first"
        " box; if that is lost, the office cancels the job and makes a new one.",
        "Le compteur {meter_id} est peut-être déjà dans la première boîte, et deux boîtes ne doivent jamais être un"
        " seul compteur. Branchez la première ; si elle est perdue, le bureau annule l’intervention et en fait une"
        " nouvelle.",
    ),
    "plug_new": (
        end.INCOMPLETE,
        "The old meter is read. Mount the new one {meter_id}, plug the cable into it and give the same command.",
        "L’ancien compteur est lu. Montez le nouveau {meter_id}, branchez-y le câble et redonnez la même commande.",
    ),
    "no_record": (
        end.INCOMPLETE,
        "Job {job_id} has no record yet: finish it first with guelta field {verb}.",
        "L’intervention {job_id} n’a pas encore de dossier : finissez-la d’abord par guelta field {verb}.",
    ),
    "no_label": (
        end.FAILED,
        "The record of job {job_id} seals no meter: there is nothing to put a label on.",
        "Le dossier de l’intervention {job_id} ne scelle aucun compteur : il n’y a rien à étiqueter.",
    ),
    "no_records": (
        end.INCOMPLETE,
        "No checklist is finished on this laptop yet, so there is nothing to label: guelta field commission.",
        "Aucune liste n’est encore finie sur ce portable, donc rien à étiqueter : guelta field commission.",
    ),
    "several_records": (
        end.USAGE,
        "JOB: say whose label: {jobs}. For instance: guelta field label JOB.",
        "JOB : dites de quelle intervention : {jobs}. Par exemple : guelta field label INTERVENTION.",
    ),
    "label_unwritable": (
        end.FAILED,
        "--output: {file} cannot be written: {why}. Name a file in a folder of yours.",
        "--output : {file} ne peut pas être écrit : {why}. Nommez un fichier dans un dossier à vous.",
    ),
    "not_synced": (
        end.INCOMPLETE,
        "Meter {meter_id} is read and its record signed, but the headend does not have it yet, and erasing cannot be"
        " taken back. With a network: guelta field sync, then this command again. Or, if it must be now: --erase-now.",
        "Le compteur {meter_id} est lu et son dossier signé, mais la tête de réseau ne l’a pas encore, et l’effacement"
        " est définitif. Avec du réseau : guelta field sync, puis cette commande. Ou, s’il le faut : --erase-now.",
    ),
    "opening_missing": (
        end.INCOMPLETE,
        "The new meter {meter_id} does not have its OPENING yet, and the old one still proves the balance. With a"
        " network: guelta field sync; then guelta field swap at the new meter; then this command again. Or, if the old"
        " one must be erased now: --without-opening.",
        "Le nouveau compteur {meter_id} n’a pas encore son OPENING, et l’ancien prouve encore le solde. Avec du"
        " réseau : guelta field sync ; puis guelta field swap au nouveau compteur ; puis cette commande. Ou, s’il faut"
        " effacer l’ancien maintenant : --without-opening.",
    ),
}

TABLE: dict[str, tuple[int, str, str]] = {**_JOBS, **_ANSWERS, **_METERS}
