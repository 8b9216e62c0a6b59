"""Every refusal of the HTTP side: code, status, title and remedy in English and French. Codes are for ever."""

from headend.api.command_refusals import KINDS as COMMAND_REFUSALS
from headend.api.problem_kind import Kind

_READING_THE_REQUEST = {
    "malformed_json": Kind(
        400,
        "Malformed JSON",
        "JSON illisible",
        "The body is not UTF-8 JSON. Send one JSON object.",
        "Le corps n’est pas du JSON en UTF-8. Envoyez un objet JSON.",
    ),
    "invalid_body": Kind(
        400,
        "Invalid body",
        "Corps non conforme",
        "A field of the body is wrong; see errors. Nothing was changed.",
        "Un champ du corps n’est pas conforme ; voir errors. Rien n’a été modifié.",
    ),
    "invalid_query": Kind(
        400,
        "Invalid query",
        "Paramètre non conforme",
        "A query parameter is wrong; see errors.",
        "Un paramètre de l’adresse n’est pas conforme ; voir errors.",
    ),
    "invalid_path": Kind(
        404,
        "No such place",
        "Adresse inconnue",
        "The address does not name anything here; see errors.",
        "L’adresse ne désigne rien ici ; voir errors.",
    ),
    "invalid_cursor": Kind(
        400,
        "Invalid cursor",
        "Curseur non conforme",
        "The cursor is not one that this list gave out. Start again without it.",
        "Le curseur ne vient pas de cette liste. Recommencez sans lui.",
    ),
    "no_route": Kind(
        404,
        "No such address",
        "Adresse inconnue",
        "Nothing answers at {path}; /openapi.json lists what does.",
        "Rien ne répond à {path} ; /openapi.json dit ce qui répond.",
    ),
    "method_not_allowed": Kind(
        405,
        "Method not allowed",
        "Méthode non admise",
        "{path} does not answer to {method}. It answers to: {allowed}.",
        "{path} ne répond pas à {method}. Méthodes admises : {allowed}.",
    ),
    "body_too_large": Kind(
        413,
        "Body too large",
        "Corps trop grand",
        "A body may hold at most {limit} bytes here. Send less at a time.",
        "Le corps peut contenir au plus {limit} octets ici. Envoyez moins à la fois.",
    ),
    "unsupported_media_type": Kind(
        415,
        "Unsupported media type",
        "Type de contenu non admis",
        "Send the body as {expected}, not compressed.",
        "Envoyez le corps en {expected}, sans compression.",
    ),
    "internal_error": Kind(
        500,
        "Internal error",
        "Erreur interne",
        "Something failed on our side and was logged; quote the trace to the operator. Nothing was acknowledged.",
        "Une erreur s’est produite chez nous et a été notée ; indiquez la trace à l’exploitant. Rien n’a été confirmé.",
    ),
    "too_many_readers": Kind(
        503,
        "Too many readers",
        "Trop de lecteurs",
        "Too many pages are open at once. Close some, or reload now and then without JavaScript.",
        "Trop de pages sont ouvertes à la fois. Fermez-en, ou rechargez de temps en temps sans JavaScript.",
    ),
    "storage_full": Kind(
        507,
        "The disk is full",
        "Le disque est plein",
        "There is no room to keep this, so nothing was acknowledged. Make room; then send the same request again.",
        "Il n’y a plus de place, rien n’a été confirmé. Libérez de la place, puis renvoyez la même demande.",
    ),
    "storage_failing": Kind(
        503,
        "Disk or memory fails",
        "Le disque ou la mémoire fait défaut",
        "Disk or memory failed, so nothing was acknowledged. Look at the log; then send the same request again.",
        "Disque ou mémoire en défaut, rien n’a été confirmé. Voyez le journal, puis renvoyez la même demande.",
    ),
    "stopping": Kind(
        503,
        "The headend is stopping",
        "Le serveur s’arrête",
        "The headend is stopping or starting. Send the same request again in a moment.",
        "Le serveur s’arrête ou démarre. Renvoyez la même demande dans un instant.",
    ),
}

_WHO_MAY = {
    "wrong_host": Kind(
        421,
        "Another host",
        "Autre hôte",
        "This headend answers to localhost only; the Host header names another place.",
        "Ce serveur ne répond qu’à localhost ; l’en-tête Host désigne un autre lieu.",
    ),
    "page_on_this_machine_only": Kind(
        403,
        "Page on this machine only",
        "Page sur place seulement",
        "Operators cannot sign in yet, so the page is shown on the headend’s own machine only. "
        "Use REST with an API key.",
        "Les exploitants ne peuvent pas encore se connecter : la page ne s’affiche que sur la machine du serveur. "
        "Utilisez REST avec une clé d’API.",
    ),
    "clock_back": Kind(
        409,
        "The clock never goes back",
        "L’horloge ne recule pas",
        "The simulated time is later than that already. Start again on a new database.",
        "Le temps simulé est déjà plus avancé. Recommencez avec une nouvelle base.",
    ),
    "unauthenticated": Kind(
        401,
        "API key needed",
        "Clé d’API requise",
        "Send the header 'Authorization: Bearer KEY'. Make a key with 'guelta key create'.",
        "Envoyez l’en-tête « Authorization: Bearer CLÉ ». Créez une clé avec « guelta key create ».",
    ),
    "scope_missing": Kind(
        403,
        "Scope missing",
        "Droit manquant",
        "This key does not hold the scope '{scope}'. Use a key made with '--scope {scope}'.",
        "Cette clé n’a pas le droit « {scope} ». Utilisez une clé créée avec « --scope {scope} ».",
    ),
    "idempotency_key_missing": Kind(
        400,
        "Idempotency-Key needed",
        "Idempotency-Key requis",
        "Send the header 'Idempotency-Key' with 8 to 64 letters, digits, '-' or '_', new for each intention "
        "and the same for each repetition.",
        "Envoyez l’en-tête « Idempotency-Key » : 8 à 64 lettres, chiffres, « - » ou « _ », "
        "nouveau à chaque intention, le même à chaque répétition.",
    ),
    "idempotency_key_reused": Kind(
        409,
        "Idempotency-Key already used",
        "Idempotency-Key déjà utilisé",
        "This Idempotency-Key was used for another request. Make a new one; nothing was changed.",
        "Cet Idempotency-Key a servi à une autre demande. Créez-en un nouveau ; rien n’a été modifié.",
    ),
}

_NAMED = {
    "plan_unknown": Kind(
        404,
        "No debt plan",
        "Aucun plan de remboursement",
        "Meter {meter_id} never had a debt plan; POST /v1/plans makes one.",
        "Le compteur {meter_id} n’a jamais eu de plan de remboursement ; POST /v1/plans en crée un.",
    ),
    "tariff_not_known": Kind(
        404,
        "No such tariff then",
        "Aucun tarif à cette date",
        "No tariff '{code}' is true at that time by what was known then; GET /v1/tariffs lists all.",
        "Aucun tarif « {code} » n’est valable à cette date selon ce qui était connu ; GET /v1/tariffs donne la liste.",
    ),
    "unknown_key": Kind(
        404,
        "Unknown API key",
        "Clé d’API inconnue",
        "No key named '{name}' is in use; GET /v1/keys lists them.",
        "Aucune clé nommée « {name} » n’est en usage ; GET /v1/keys donne la liste.",
    ),
    "key_name_taken": Kind(
        409,
        "Name taken",
        "Nom déjà pris",
        "A key named '{name}' was made before. Choose another name; names are never used twice.",
        "Une clé nommée « {name} » a déjà été créée. Choisissez un autre nom ; un nom ne sert qu’une fois.",
    ),
    "no_update": Kind(
        404,
        "No update",
        "Aucune mise à jour",
        "Meter {meter_id} was never meant to be updated; POST its update first.",
        "Aucune mise à jour n’a jamais été demandée pour le compteur {meter_id} ; demandez-la d’abord.",
    ),
    "unknown_meter": Kind(
        404,
        "Unknown meter",
        "Compteur inconnu",
        "No meter {meter_id} is registered here; GET /v1/meters lists those that are.",
        "Aucun compteur {meter_id} n’est enregistré ici ; GET /v1/meters donne la liste.",
    ),
}

_BILLER = {
    "unknown_provider": Kind(
        404,
        "Unknown provider",
        "Prestataire inconnu",
        "No provider '{provider}' is registered. Register it with 'guelta provider add {provider}'.",
        "Aucun prestataire « {provider} » n’est enregistré. Enregistrez-le avec « guelta provider add {provider} ».",
    ),
    "signature_missing": Kind(
        401,
        "Signature headers missing",
        "En-têtes de signature absents",
        "Send webhook-id, webhook-timestamp and webhook-signature (Standard Webhooks). "
        "Missing or unreadable: {header}.",
        "Envoyez webhook-id, webhook-timestamp et webhook-signature (Standard Webhooks). "
        "Absent ou illisible : {header}.",
    ),
    "signature_wrong": Kind(
        401,
        "Wrong signature",
        "Signature erronée",
        "No webhook-signature matches this body under a secret of '{provider}'. "
        "Sign id.timestamp.body, the raw bytes as sent.",
        "Aucune webhook-signature ne correspond à ce corps avec un secret de « {provider} ». "
        "Signez id.timestamp.corps, octet pour octet.",
    ),
    "signature_stale": Kind(
        401,
        "Signature too old",
        "Signature trop ancienne",
        "webhook-timestamp is more than 5 minutes in the past. Sign the repetition anew.",
        "webhook-timestamp date de plus de 5 minutes. Signez à nouveau la répétition.",
    ),
    "signature_future": Kind(
        401,
        "Signature from the future",
        "Signature datée du futur",
        "webhook-timestamp is more than 5 minutes ahead. Set your clock.",
        "webhook-timestamp a plus de 5 minutes d’avance. Réglez votre horloge.",
    ),
    "unknown_transaction": Kind(
        404,
        "Unknown transaction",
        "Transaction inconnue",
        "No notification with the transaction id {transaction} has arrived from '{provider}'.",
        "Aucune notification avec l’identifiant {transaction} n’est arrivée de « {provider} ».",
    ),
}

CATALOGUE: dict[str, Kind] = {**_READING_THE_REQUEST, **_WHO_MAY, **_NAMED, **_BILLER, **COMMAND_REFUSALS}
