"""What `guelta firmware newkey`, `keyed` and `release` say, and what they refuse with which remedy: English, French."""

TEXTS = {
    "key_made": (
        "private key: {key} (keep it off the network, and a copy in a safe); public key: {public}",
        "clé privée : {key} (hors du réseau, et une copie en lieu sûr) ; clé publique : {public}",
    ),
    "keyed": (
        "{out} takes updates signed with the key of {key}",
        "{out} accepte les mises à jour signées avec la clé de {key}",
    ),
    "released": (
        "{out}: version {version} for {hardware}, {size} bytes, SHA-256 {sha256}",
        "{out} : version {version} pour {hardware}, {size} octets, SHA-256 {sha256}",
    ),
}

REFUSALS = {
    "key_exists": (
        "{key} exists, and a release key is never overwritten. Name another file.",
        "{key} existe, et une clé de publication n’est jamais écrasée. Nommez un autre fichier.",
    ),
    "key_unwritten": (
        "{key} cannot be written ({why}). Name a file in a folder that you may write to.",
        "{key} ne peut être écrit ({why}). Nommez un fichier dans un dossier où vous pouvez écrire.",
    ),
    "key_missing": (
        "There is no private key {key}. Make one with: guelta firmware newkey {key}",
        "La clé privée {key} n’existe pas. Créez-la avec : guelta firmware newkey {key}",
    ),
    "key_open": (
        "{key} can be read by others. Close it with: chmod 600 {key}",
        "{key} peut être lue par d’autres. Fermez-la avec : chmod 600 {key}",
    ),
    "key_kind": (
        "{key} is no P-256 private key in an unencrypted PEM file. `guelta firmware newkey` makes one.",
        "{key} n’est pas une clé privée P-256 dans un fichier PEM non chiffré. `guelta firmware newkey` en crée une.",
    ),
    "public_missing": (
        "There is no public key {key}. `guelta firmware newkey` writes it beside the private one, ending in .pub.",
        "La clé publique {key} n’existe pas. `guelta firmware newkey` l’écrit près de la privée, avec .pub à la fin.",
    ),
    "public_kind": (
        "{key} is no public key: 128 hexadecimal digits. Name the .pub file that `guelta firmware newkey` wrote.",
        "{key} n’est pas une clé publique : 128 chiffres hexadécimaux. "
        "Nommez le fichier .pub qu’a écrit `guelta firmware newkey`.",
    ),
    "version": (
        "{version} is no version: write it as 1.2.3, the second and third number below 100.",
        "{version} n’est pas une version : écrivez-la 1.2.3, le deuxième et le troisième nombre sous 100.",
    ),
    "min_version": (
        "--min-version {version} must lie between {least}, the first release that reads what this one stores, "
        "and {most}.",
        "--min-version {version} doit être entre {least}, première version qui lit ce que celle-ci enregistre, "
        "et {most}.",
    ),
    "hardware": (
        "{hardware} is no hardware: 1 to 16 ASCII characters without spaces, as qemu-mps2 or unix.",
        "{hardware} n’est pas un matériel : 1 à 16 caractères ASCII sans espaces, comme qemu-mps2 ou unix.",
    ),
    "image_missing": (
        "There is no image {image}. Build it with `make firmware`.",
        "L’image {image} n’existe pas. Construisez-la avec `make firmware`.",
    ),
    "image_size": (
        "The image has {size} bytes; a slot holds 1 to {most}. Name the file meter.bin that `make firmware` builds.",
        "L’image a {size} octets ; un emplacement en contient 1 à {most}. "
        "Nommez le fichier meter.bin que construit `make firmware`.",
    ),
    "image_kind": (
        "This is no update for qemu-mps2. Name the file meter.bin that `make firmware` builds, not an ELF file.",
        "Ce n’est pas une mise à jour pour qemu-mps2. "
        "Nommez le fichier meter.bin que construit `make firmware`, pas un fichier ELF.",
    ),
    "image_version": (
        "The image is version {found}, not {version}. Name {found}, or change firmware/version.py and build again.",
        "L’image est la version {found}, pas {version}. "
        "Nommez {found}, ou changez firmware/version.py et construisez à nouveau.",
    ),
    "out": (
        "{out} cannot be written ({why}). Name a file in a folder that you may write to.",
        "{out} ne peut être écrit ({why}). Nommez un fichier dans un dossier où vous pouvez écrire.",
    ),
}
