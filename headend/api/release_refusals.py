"""How refusals of releases look as problem documents: status, English title, French title, French remedy."""

from headend.refusals import Code

TEXTS = {
    Code.RELEASE_KEY_UNSET: (
        409,
        "No release key",
        "Pas de clé de publication",
        "mettez la clé publique de vos versions (KEY.pub) dans le réglage release_key, puis redémarrez",
    ),
    Code.RELEASE_FILE: (
        400,
        "Not an update",
        "Pas une mise à jour",
        "envoyez le fichier écrit par « guelta firmware release », entier et tel quel",
    ),
    Code.RELEASE_TOO_LARGE: (
        400,
        "Image too large",
        "Image trop grande",
        "construisez une image de 520 192 octets au plus : un emplacement du compteur ne contient pas plus",
    ),
    Code.RELEASE_DAMAGED: (
        400,
        "Damaged update",
        "Mise à jour abîmée",
        "copiez le fichier à nouveau : son image n’est pas celle que décrit son en-tête",
    ),
    Code.RELEASE_SIGNATURE: (
        403,
        "Foreign signature",
        "Signature étrangère",
        "signez-la avec la clé privée qui correspond au réglage release_key",
    ),
    Code.RELEASE_EXISTS: (
        409,
        "Version taken",
        "Version déjà prise",
        "donnez une autre version à une autre image : celle-ci est là avec un autre contenu",
    ),
    Code.RELEASE_UNKNOWN: (
        404,
        "Unknown release",
        "Version inconnue",
        "ajoutez d’abord la version ; GET /v1/releases dit lesquelles sont là",
    ),
    Code.RELEASE_HARDWARE: (
        409,
        "Several hardwares",
        "Plusieurs matériels",
        "nommez le matériel du compteur : cette version existe pour chacun de ceux-ci",
    ),
    Code.UPDATE_NOT_NEWER: (
        409,
        "Not a later version",
        "Pas une version plus récente",
        "nommez une version plus récente : le compteur a déjà celle-ci, et un compteur ne revient jamais en arrière",
    ),
    Code.UPDATE_STEP: (
        409,
        "A version is needed between",
        "Une version manque entre les deux",
        "installez d’abord une version intermédiaire : celle-ci ne peut pas suivre celle du compteur",
    ),
    Code.UPDATE_UNKNOWN: (
        409,
        "No update under way",
        "Aucune mise à jour en cours",
        "rien n’est en cours pour ce compteur ; demandez d’abord sa mise à jour",
    ),
}
