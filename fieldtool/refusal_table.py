"""What the line, the meter, the headend and the folder refuse: code: (exit code, English, French), remedy included."""

from . import exit_codes as end

_LINE = {
    "port_unknown": (
        end.NO_DEVICE,
        "--port: there is no port {port}. 'guelta field ports' lists those that are there.",
        "--port : il n’y a pas de port {port}. « guelta field ports » liste ceux qui sont là.",
    ),
    "port_form": (
        end.USAGE,
        "--port: {port!r} is none of auto, serial:NUMBER and a path such as /dev/ttyACM0.",
        "--port : {port!r} n’est ni auto, ni serial:NUMÉRO, ni un chemin comme /dev/ttyACM0.",
    ),
    "port_busy": (
        end.BUSY,
        "--port: another program has {port} open. Close it and try again.",
        "--port : un autre programme tient {port}. Fermez-le et recommencez.",
    ),
    "port_denied": (
        end.FAILED,
        "--port: this user may not open {port}. On Debian: sudo usermod -aG dialout $USER, then sign in again.",
        "--port : cet utilisateur n’a pas le droit d’ouvrir {port}. Sous Debian : sudo usermod -aG dialout $USER,"
        " puis ouvrez une nouvelle session.",
    ),
    "port_gone": (
        end.INCOMPLETE,
        "The port {port} disappeared. Plug the cable in again and give the same command: it goes on where it was.",
        "Le port {port} a disparu. Rebranchez le câble et redonnez la même commande : elle reprend où elle en était.",
    ),
    "no_device": (
        end.NO_DEVICE,
        "No meter answers on a known board. Plug it in, or name its port: --port PATH ('guelta field ports').",
        "Aucun compteur ne répond sur une carte connue. Branchez-le, ou nommez son port : --port CHEMIN"
        " (« guelta field ports »).",
    ),
    "several_devices": (
        end.BUSY,
        "More than one meter answers: {ports}. Say which: --port serial:NUMBER or --port PATH.",
        "Plusieurs compteurs répondent : {ports}. Dites lequel : --port serial:NUMÉRO ou --port CHEMIN.",
    ),
    "several_serials": (
        end.BUSY,
        "Two ports have the serial number {serial}: {ports}. Say which: --port PATH.",
        "Deux ports ont le numéro de série {serial} : {ports}. Dites lequel : --port CHEMIN.",
    ),
    "silent": (
        end.NO_DEVICE,
        "Nothing answers on {port}. Check the cable and the meter's power; is this the meter's port?",
        "Rien ne répond sur {port}. Vérifiez le câble et l’alimentation du compteur ; est-ce bien son port ?",
    ),
    "no_answer": (
        end.INCOMPLETE,
        "The meter no longer answers. Check cable and power, then give the same command: it goes on where it was.",
        "Le compteur ne répond plus. Vérifiez le câble et l’alimentation, puis redonnez la même commande :"
        " elle reprend où elle en était.",
    ),
    "nonsense": (
        end.FAILED,
        "The meter's answer to {command} is not what this tool knows. Update the tool, or the meter's firmware.",
        "La réponse du compteur à {command} n’est pas de celles que cet outil connaît. Mettez à jour l’outil,"
        " ou le micrologiciel du compteur.",
    ),
}

_ACCESS = {
    "other_meter": (
        end.FAILED,
        "This is meter {found}, not {expected}. Plug in the other one, or take the job of this one.",
        "Voici le compteur {found}, pas {expected}. Branchez l’autre, ou prenez l’intervention de celui-ci.",
    ),
    "blank_meter": (
        end.FAILED,
        "This meter was never provisioned; there is nothing to ask it sealed. Commission it: guelta field commission.",
        "Ce compteur n’a jamais été mis en service ; il n’y a rien à lui demander sous scellé."
        " Mettez-le en service : guelta field commission.",
    ),
    "sealed_only": (
        end.FAILED,
        "This meter is provisioned already and takes nothing unsealed. Its job gives the grant: guelta field sync.",
        "Ce compteur est déjà mis en service et ne prend rien sans scellé. Son intervention donne"
        " l’autorisation : guelta field sync.",
    ),
    "no_grant": (
        end.FAILED,
        "There is no grant here for meter {meter_id} that allows this. Ask the office for a job, then:"
        " guelta field sync.",
        "Il n’y a ici aucune autorisation pour le compteur {meter_id} qui le permette. Demandez une intervention"
        " au bureau, puis : guelta field sync.",
    ),
    "grant_expired": (
        end.FAILED,
        "The grant for meter {meter_id} has expired. Ask the office for a new job, then: guelta field sync.",
        "L’autorisation pour le compteur {meter_id} a expiré. Demandez une nouvelle intervention au bureau, puis :"
        " guelta field sync.",
    ),
    "grant_not_yet": (
        end.FAILED,
        "The grant for meter {meter_id} is not valid yet. Come back at its time, or ask the office for another job.",
        "L’autorisation pour le compteur {meter_id} n’est pas encore valable. Revenez à son heure, ou demandez une"
        " autre intervention au bureau.",
    ),
    "grant_spent": (
        end.FAILED,
        "All visits of this grant for meter {meter_id} are used, or a newer grant was used since."
        " Ask the office for a new job, then: guelta field sync.",
        "Toutes les visites de cette autorisation pour le compteur {meter_id} sont utilisées, ou une plus récente a"
        " servi depuis. Demandez une nouvelle intervention au bureau, puis : guelta field sync.",
    ),
    "grant_terms": (
        end.FAILED,
        "Meter {meter_id} does not accept the terms of this grant. Ask the office for a new job; update the meter if"
        " that fails too.",
        "Le compteur {meter_id} n’accepte pas les termes de cette autorisation. Demandez une nouvelle intervention au"
        " bureau ; mettez le compteur à jour si elle échoue aussi.",
    ),
    "grant_foreign": (
        end.FAILED,
        "Meter {meter_id} does not know the key of this grant: it is another meter's or an older generation's."
        " Ask the office for a new job, then: guelta field sync.",
        "Le compteur {meter_id} ne connaît pas la clé de cette autorisation : elle est d’un autre compteur ou d’une"
        " ancienne génération. Demandez une nouvelle intervention au bureau, puis : guelta field sync.",
    ),
    "port_locked": (
        end.FAILED,
        "The meter's service port is locked after wrong keys. Wait {wait_s} seconds and try again.",
        "Le port de service du compteur est verrouillé après de mauvaises clés. Attendez {wait_s} secondes et"
        " recommencez.",
    ),
    "port_version": (
        end.FAILED,
        "The meter does not understand this tool's messages. Update the meter's firmware, or the tool.",
        "Le compteur ne comprend pas les messages de cet outil. Mettez à jour le micrologiciel du compteur, ou"
        " l’outil.",
    ),
}

_COMMANDS = {
    "meter_unknown_command": (
        end.FAILED,
        "The meter's firmware does not know {command}. Update it: guelta field flash FILE.update.",
        "Le micrologiciel du compteur ne connaît pas {command}. Mettez-le à jour : guelta field flash FICHIER.update.",
    ),
    "meter_not_allowed": (
        end.FAILED,
        "This grant does not allow {command}. Ask the office for a job of the right kind, then: guelta field sync.",
        "Cette autorisation ne permet pas {command}. Demandez au bureau une intervention du bon genre, puis :"
        " guelta field sync.",
    ),
    "meter_bad_arguments": (
        end.FAILED,
        "The meter refuses the values given to {command}. Update the tool, or the meter's firmware.",
        "Le compteur refuse les valeurs données à {command}. Mettez à jour l’outil, ou le micrologiciel du compteur.",
    ),
    "meter_valve_moving": (
        end.INCOMPLETE,
        "The valve is moving. Wait until it stands, then give the same command.",
        "La vanne bouge. Attendez qu’elle s’arrête, puis redonnez la même commande.",
    ),
    "meter_clock_unsure": (
        end.FAILED,
        "The meter is not sure of its time and cannot do {command}. Let it hear the headend once, then try again.",
        "Le compteur n’est pas sûr de son heure et ne peut pas faire {command}. Laissez-le entendre la tête de réseau"
        " une fois, puis recommencez.",
    ),
    "meter_not_now": (
        end.INCOMPLETE,
        "The meter cannot do {command} now. Wait a minute, then give the same command.",
        "Le compteur ne peut pas faire {command} maintenant. Attendez une minute, puis redonnez la même commande.",
    ),
    "meter_not_authentic": (
        end.NOT_VERIFIED,
        "The meter does not take this statement: it is not one of its headend, or not meant for it."
        " Get it anew: guelta field sync.",
        "Le compteur ne prend pas cet ordre : il n’est pas de sa tête de réseau, ou pas pour lui."
        " Reprenez-le : guelta field sync.",
    ),
    "meter_not_erased": (
        end.FAILED,
        "A memory of the meter does not take what is written to it. Give the same command once more; if it fails again,"
        " take the board out of use and destroy it: it still holds its key.",
        "Une mémoire du compteur ne prend pas ce qu’on y écrit. Redonnez la même commande ; si elle échoue encore,"
        " retirez la carte et détruisez-la : elle garde sa clé.",
    ),
    "meter_refused": (
        end.FAILED,
        "The meter refuses {command}: {why}.",
        "Le compteur refuse {command} : {why}.",
    ),
}

_FOLDER = {
    "store_damaged": (
        end.FAILED,
        "{file} is not what this tool wrote: {why}. Move it away; 'guelta field sync' fetches open jobs again.",
        "{file} n’est pas ce que cet outil a écrit : {why}. Déplacez-le ; « guelta field sync » reprend les"
        " interventions ouvertes.",
    ),
    "store_unwritable": (
        end.FAILED,
        "{file} cannot be written: {why}. Free space, or set GUELTA_FIELD_HOME to a folder of yours.",
        "{file} ne peut pas être écrit : {why}. Libérez de la place, ou donnez un dossier à vous par"
        " GUELTA_FIELD_HOME.",
    ),
    "store_in_use": (
        end.BUSY,
        "Another 'guelta field' works in {folder}. Let it end, then try again.",
        "Un autre « guelta field » travaille dans {folder}. Laissez-le finir, puis recommencez.",
    ),
    "bad_name": (
        end.FAILED,
        "{name!r} is not a name of this tool's files: 1 to 64 letters, digits, - and _.",
        "{name!r} n’est pas un nom de fichier de cet outil : 1 à 64 lettres, chiffres, - et _.",
    ),
    "not_confirmed": (
        end.FAILED,
        "Not confirmed: nothing was changed. A script says --yes.",
        "Pas confirmé : rien n’a été changé. Un script dit --yes.",
    ),
    "no_terminal": (
        end.USAGE,
        "There is no terminal to ask '{what}' on. Give {option}.",
        "Il n’y a pas de terminal où demander « {what} ». Donnez {option}.",
    ),
    "file_unreadable": (
        end.USAGE,
        "{option}: {file} cannot be read: {why}.",
        "{option} : {file} ne peut pas être lu : {why}.",
    ),
}

_HEADEND = {
    "not_enrolled": (
        end.USAGE,
        "This laptop is not enrolled with a headend. Do it once: guelta field enrol --headend https://…",
        "Ce portable n’est pas inscrit auprès d’une tête de réseau. Faites-le une fois :"
        " guelta field enrol --headend https://…",
    ),
    "headend_address": (
        end.USAGE,
        "--headend: {address!r} is not an https:// address (http:// is for this machine only).",
        "--headend : {address!r} n’est pas une adresse https:// (http:// ne sert que pour cette machine).",
    ),
    "api_key_form": (
        end.USAGE,
        "The API key is one word of printable ASCII, as 'guelta key create' printed it. Ask the office for it.",
        "La clé d’API est un seul mot en ASCII, comme « guelta key create » l’a écrite. Demandez-la au bureau.",
    ),
    "tool_key_open": (
        end.FAILED,
        "{file} is damaged, or not this user's alone (chmod 600). If others could read it, remove it and enrol again.",
        "{file} est abîmé, ou d’autres peuvent le lire (chmod 600). Si d’autres l’ont pu, supprimez-le et"
        " réinscrivez-vous.",
    ),
    "token_file": (
        end.USAGE,
        "--token-file: {file} holds neither one token alone nor lines of JOB TOKEN.",
        "--token-file : {file} ne contient ni un jeton seul, ni des lignes INTERVENTION JETON.",
    ),
    "token_form": (
        end.USAGE,
        "The token is one word of printable ASCII, as the office gave it. Type it again: guelta field sync.",
        "Le jeton est un seul mot en ASCII, comme le bureau l’a donné. Retapez-le : guelta field sync.",
    ),
    "headend_unreachable": (
        end.INCOMPLETE,
        "The headend {address} cannot be reached: {why}. Everything is kept; try again with a network.",
        "La tête de réseau {address} est injoignable : {why}. Tout est gardé ; recommencez avec du réseau.",
    ),
    "headend_failed": (
        end.INCOMPLETE,
        "The headend failed ({status}). Everything is kept; try again later.",
        "La tête de réseau a échoué ({status}). Tout est gardé ; recommencez plus tard.",
    ),
    "headend_refused": (
        end.HEADEND_REFUSED,
        "The headend refuses ({problem}): {detail}",
        "La tête de réseau refuse ({problem}) : {detail}",
    ),
    "headend_nonsense": (
        end.FAILED,
        "{address} does not answer like a headend ({field}). Check the address; update this tool.",
        "{address} ne répond pas comme une tête de réseau ({field}). Vérifiez l’adresse ; mettez cet outil à jour.",
    ),
}

_UPDATE = {
    "update_file": (
        end.USAGE,
        "FILE: {file} is no update ({field}). Take the .update file of a release.",
        "FICHIER : {file} n’est pas une mise à jour ({field}). Prenez le fichier .update d’une version publiée.",
    ),
    "update_damaged": (
        end.NOT_VERIFIED,
        "FILE: {file} is damaged: its image is not the one its manifest names. Fetch it again.",
        "FICHIER : {file} est abîmé : son image n’est pas celle que nomme son manifeste. Reprenez-le.",
    ),
    "update_hardware": (
        end.NOT_VERIFIED,
        "This update is for other hardware than this meter's. Take the one for this board.",
        "Cette mise à jour est pour un autre matériel. Prenez celle de cette carte.",
    ),
    "update_downgrade": (
        end.NOT_VERIFIED,
        "The meter runs this version or a newer one, or has run one; it never goes back. Take a newer release.",
        "Le compteur a ou a eu cette version ou une plus récente ; il ne revient jamais en arrière. Prenez une version"
        " plus récente.",
    ),
    "update_too_old": (
        end.NOT_VERIFIED,
        "The meter's firmware is too old for this step. Flash the releases in between first.",
        "Le micrologiciel du compteur est trop ancien pour ce pas. Passez d’abord par les versions intermédiaires.",
    ),
    "update_too_large": (
        end.NOT_VERIFIED,
        "The image is larger than a slot of this meter. Take the release for this board.",
        "L’image est plus grande qu’un emplacement de ce compteur. Prenez la version de cette carte.",
    ),
    "update_signature": (
        end.NOT_VERIFIED,
        "The signature is not one this meter trusts; nothing was installed. Take the signed file of a release.",
        "La signature n’est pas de celles que ce compteur reconnaît ; rien n’a été installé. Prenez le fichier signé"
        " d’une version publiée.",
    ),
    "update_hash": (
        end.NOT_VERIFIED,
        "What the meter has stored is not what was sent; nothing was installed. Give the same command once more;"
        " if it fails again, the meter's flash is worn: swap it.",
        "Ce que le compteur a gardé n’est pas ce qui a été envoyé ; rien n’a été installé. Redonnez la même commande ;"
        " si elle échoue encore, sa flash est usée : remplacez-le.",
    ),
    "update_no_verifier": (
        end.FAILED,
        "This meter cannot verify signatures and takes no updates.",
        "Ce compteur ne sait pas vérifier les signatures et ne prend pas de mise à jour ; remplacez-le.",
    ),
    "update_no_slots": (
        end.FAILED,
        "This meter has no room for a second firmware and takes no updates.",
        "Ce compteur n’a pas de place pour un second micrologiciel et ne prend pas de mise à jour.",
    ),
    "update_nothing_begun": (
        end.INCOMPLETE,
        "The meter has forgotten the update under way. Give the same command again.",
        "Le compteur a oublié la mise à jour en cours. Redonnez la même commande.",
    ),
    "update_offset": (
        end.INCOMPLETE,
        "Meter and tool do not agree on how far the update is. Give the same command again.",
        "Le compteur et l’outil ne sont pas d’accord sur l’avancement. Redonnez la même commande.",
    ),
    "update_manifest": (
        end.NOT_VERIFIED,
        "The meter does not understand this update's manifest. Flash the releases in between first.",
        "Le compteur ne comprend pas ce manifeste. Passez d’abord par les versions intermédiaires.",
    ),
    "update_on_trial": (
        end.FAILED,
        "The meter is trying a firmware and takes no other until that has proved itself. Let it hear the headend.",
        "Le compteur essaie un micrologiciel et n’en prend pas d’autre avant la fin de l’essai. Laissez-le entendre la"
        " tête de réseau.",
    ),
    "update_flash": (
        end.FAILED,
        "The meter cannot write its flash. Give the same command once more; if it fails again, swap the meter.",
        "Le compteur ne peut pas écrire sa flash. Redonnez la même commande ; si elle échoue encore, remplacez-le.",
    ),
    "update_tried": (
        end.FAILED,
        "This version had its trial on this meter and did not prove itself. Ask the office for a later one.",
        "Cette version a été essayée sur ce compteur et n’a pas fait ses preuves. Demandez au bureau une version plus"
        " récente.",
    ),
    "update_not_back": (
        end.INCOMPLETE,
        "The meter has restarted and does not answer after {seconds} s. Check power and cable, then give the same"
        " command: it says what runs.",
        "Le compteur a redémarré et ne répond pas après {seconds} s. Vérifiez l’alimentation et le câble, puis redonnez"
        " la même commande : elle dit ce qui tourne.",
    ),
    "update_not_running": (
        end.NOT_VERIFIED,
        "After the restart the meter runs {running}, not {offered}: it did not accept the new firmware. Report this"
        " release to who made it.",
        "Après le redémarrage le compteur tourne avec {running}, pas {offered} : il n’a pas accepté le nouveau."
        " Signalez cette version à qui l’a faite.",
    ),
}

TABLE: dict[str, tuple[int, str, str]] = {**_LINE, **_ACCESS, **_COMMANDS, **_FOLDER, **_HEADEND, **_UPDATE}
