"""How refusals of field work look as problem documents: status, English title, French title, French remedy."""

from headend.refusals import Code

TEXTS = {
    Code.JOB_UNKNOWN: (404, "Unknown job", "Intervention inconnue", "désignez une de vos interventions"),
    Code.JOB_FIELDS: (
        400,
        "Wrong fields for this kind of job",
        "Champs erronés pour ce genre d’intervention",
        "install prend meter, ou le meter_id d’un compteur jamais entendu ; swap meter_id, new_meter_id, "
        "litres_per_pulse et first_index_l ; retire meter_id ; visit meter_id et role",
    ),
    Code.TECHNICIAN_UNKNOWN: (
        409,
        "Unknown technician",
        "Technicien inconnu",
        "nommez une clé en usage qui a le droit field",
    ),
    Code.METER_HAS_JOB: (
        409,
        "Meter has a job",
        "Intervention déjà en cours",
        "ce compteur a une intervention en cours ; annulez-la d’abord, ou attendez son rapport",
    ),
    Code.METER_HEARD: (
        409,
        "Meter speaks already",
        "Compteur déjà entendu",
        "ce compteur parle déjà ; visitez, renouvelez ou remplacez-le",
    ),
    Code.JOB_EXPIRED: (409, "Job expired", "Intervention échue", "demandez une nouvelle intervention au bureau"),
    Code.JOB_OVER: (
        409,
        "Job is over",
        "Intervention terminée",
        "cette intervention est annulée ou déjà rapportée ; demandez-en une nouvelle au bureau",
    ),
    Code.JOB_LOCKED: (
        403,
        "Job locked",
        "Intervention verrouillée",
        "dix jetons erronés ont verrouillé cette intervention ; demandez-en une nouvelle au bureau",
    ),
    Code.TOKEN_WRONG: (
        403,
        "Wrong token",
        "Jeton erroné",
        "tapez le jeton tel que le bureau l’a donné ; dix erreurs verrouillent l’intervention",
    ),
    Code.TOKEN_USED: (
        409,
        "Token used",
        "Jeton déjà utilisé",
        "un autre outil a pris cette intervention avec son jeton ; demandez au bureau de l’annuler et d’en créer une "
        "autre",
    ),
    Code.IDENTITY_SPENT: (
        409,
        "Key given already",
        "Clé déjà donnée",
        "le compteur de cette intervention parle déjà, sa clé n’est plus donnée ; demandez une visite",
    ),
    Code.TOOL_KEY: (400, "Not a public key", "Clé publique erronée", "donnez les 32 octets d’une clé publique Ed25519"),
    Code.TOOL_TAKEN: (
        409,
        "Tool of another technician",
        "Outil d’un autre technicien",
        "un autre technicien a inscrit cette clé ; créez-en une nouvelle dans l’outil",
    ),
    Code.TOOL_UNKNOWN: (403, "Tool not enrolled", "Outil non inscrit", "inscrivez d’abord cet outil avec votre clé"),
    Code.RECORD_SIGNATURE: (
        403,
        "Wrong signature of the record",
        "Signature du rapport erronée",
        "signez le rapport canonique avec la clé de cette empreinte",
    ),
    Code.RECORD_OTHER_JOB: (
        409,
        "Record of another job",
        "Rapport d’une autre intervention",
        "envoyez le rapport de cette intervention, telle qu’elle a été prise",
    ),
    Code.RECORD_EXISTS: (
        409,
        "Job recorded already",
        "Rapport déjà reçu",
        "un autre rapport de cette intervention a été reçu ; demandez une visite au bureau",
    ),
    Code.JOB_NOT_CLAIMED: (
        409,
        "Job not claimed",
        "Intervention pas prise",
        "prenez l’intervention avec son jeton avant d’envoyer son rapport",
    ),
    Code.ATTESTATION: (
        403,
        "Attestation refused",
        "Attestation refusée",
        "faites attester le rapport, avec son empreinte, par les compteurs de cette intervention",
    ),
    Code.RECORD_STEPS: (
        400,
        "Step named twice",
        "Étape nommée deux fois",
        "nommez chaque étape une fois",
    ),
    Code.SEAL_RANGE: (
        400,
        "Wrong range of seals",
        "Série de scellés erronée",
        "donnez premier et dernier avec autant de chiffres, 10 000 scellés au plus",
    ),
    Code.SEAL_EXISTS: (
        409,
        "Seal imported before",
        "Scellé déjà en stock",
        "un de ces numéros a déjà été reçu ; ne donnez que les nouveaux",
    ),
    Code.SERVICE_AREA: (
        400,
        "Wrong service area",
        "Zone de service erronée",
        "donnez 3 à 500 sommets qui ne sont pas tous sur une ligne",
    ),
    Code.CASE_UNKNOWN: (404, "Unknown case", "Cas inconnu", "désignez un cas ; GET /v1/cases donne la liste"),
    Code.CASE_CLOSED: (409, "Case closed already", "Cas déjà clos", "ce cas est déjà clos"),
    Code.CASE_NOT_ON_SITE: (
        409,
        "Case of the books",
        "Cas des comptes",
        "seul le travail sur place se clôt à la main ; les comptes closent leurs propres cas",
    ),
}
