"""How refusals of commands (headend/refusals.py) look as problem documents: status, title, remedy, in two languages.

The code of the document is the refusal's name; its English remedy is the table's own.
"""

from headend.api.field_refusals import TEXTS as FIELD_TEXTS
from headend.api.problem_kind import Kind
from headend.api.release_refusals import TEXTS as RELEASE_TEXTS
from headend.refusals import REMEDIES, Code

# code: (status, English title, French title, French remedy).
_TEXTS = {
    Code.METER_ID: (400, "Not a meter id", "Identifiant de compteur erroné", "donnez 16 chiffres hexadécimaux"),
    Code.METER_EXISTS: (
        409,
        "Meter already registered",
        "Compteur déjà enregistré",
        "choisissez un autre identifiant, ou modifiez le compteur existant",
    ),
    Code.METER_UNKNOWN: (404, "Unknown meter", "Compteur inconnu", "ajoutez d’abord le compteur"),
    Code.LITRES_PER_PULSE: (400, "Wrong pulse weight", "Poids d’impulsion erroné", "donnez 1, 10 ou 100 litres"),
    Code.FIRST_INDEX: (
        400,
        "Wrong first index",
        "Premier index erroné",
        "donnez les litres du totalisateur, 0 à 2^40 - 1",
    ),
    Code.START_SLOT: (400, "Wrong start", "Début erroné", "donnez un numéro de demi-heure, 0 à 2^24 - 1"),
    Code.HOUSEHOLDS: (400, "Wrong number of households", "Nombre de ménages erroné", "donnez 1 à 255 ménages"),
    Code.LANGUAGE: (400, "Unknown language", "Langue inconnue", "donnez fr ou en"),
    Code.NAME: (400, "Wrong name", "Nom erroné", "donnez 1 à 200 caractères imprimables"),
    Code.TARIFF_UNKNOWN: (
        409,
        "No tariff in force",
        "Aucun tarif en vigueur",
        "publiez un tarif de ce code valable à cette date",
    ),
    Code.TARIFF_PRINTED: (400, "Prices refused", "Prix refusés", "corrigez les prix publiés"),
    Code.TARIFF_LATE: (400, "Unknown rule for late prices", "Règle de retard inconnue", "donnez waive, debt ou debit"),
    Code.TARIFF_EXISTS: (
        409,
        "Another tariff under this key",
        "Autre tarif sous cette clé",
        "utilisez un autre Idempotency-Key pour un autre tarif",
    ),
    Code.PLAN: (
        400,
        "Debt plan refused",
        "Plan de remboursement refusé",
        "donnez un plafond et un versement quotidien dans les limites de docs/TARIFFS.md",
    ),
    Code.POLICY: (
        400,
        "Policy refused",
        "Règle de vanne refusée",
        "restez dans la limite du champ ; chaque tolérance demande une fin, un plafond en litres et ses autres champs "
        "(docs/TARIFFS.md)",
    ),
    Code.PLAN_OVER: (
        409,
        "No plan to end",
        "Aucun plan à terminer",
        "ce compteur n’a pas de plan de remboursement en cours ; créez-en d’abord un",
    ),
    Code.TARIFF_NOTICE: (400, "Notice refused", "Préavis refusé", "donnez un préavis de 0 à 366 jours"),
    Code.AMOUNT: (
        400,
        "Amount refused",
        "Montant refusé",
        "donnez un nombre entier positif d’unités, au plus 9 007 199 254 740",
    ),
    Code.CURRENCY: (400, "Another currency", "Autre devise", "payez dans la devise du service"),
    Code.CUSTOMER_NUMBER: (
        409,
        "Unknown customer number",
        "Numéro de client inconnu",
        "saisissez les 8 chiffres de la carte du client",
    ),
    Code.PAYMENT_UNKNOWN: (404, "Unknown payment", "Paiement inconnu", "désignez un paiement reçu"),
    Code.PAYMENT_NOT_IN_SUSPENSE: (409, "Already credited", "Déjà crédité", "ce paiement est déjà crédité"),
    Code.PAYMENT_NOT_REVERSIBLE: (
        409,
        "Cannot be reversed",
        "Annulation impossible",
        "ce paiement est en attente ou déjà annulé",
    ),
    Code.PROVIDER: (
        400,
        "Wrong provider or transaction",
        "Prestataire ou transaction erronés",
        "donnez le prestataire et son numéro, 1 à 200 caractères imprimables chacun",
    ),
    Code.DEV_EUI: (
        400,
        "Not a DevEUI",
        "DevEUI erroné",
        "donnez les 16 chiffres hexadécimaux de l’étiquette de la radio",
    ),
    Code.RADIO_TAKEN: (
        409,
        "Radio of another meter",
        "Radio d’un autre compteur",
        "cette radio est celle d’un autre compteur ; donnez-lui d’abord une autre radio",
    ),
    Code.COMMAND: (
        400,
        "Command refused",
        "Ordre refusé",
        "open prend hold_s jusqu’à 86 400 et limit_l ; close prend hold_s ; report-period prend report_slots : 1, 2, "
        "3, 4, 6, 8, 12, 16, 24 ou 48 ; release et tell ne prennent rien",
    ),
    Code.COMMAND_EXPIRY: (400, "Wrong expiry", "Échéance erronée", "donnez un instant futur, à 30 jours au plus"),
    Code.COMMANDS_WAITING: (
        409,
        "Too many commands waiting",
        "Trop d’ordres en attente",
        "attendez la réponse du compteur, ou l’échéance des ordres en attente",
    ),
    Code.REKEY_UNDER_WAY: (
        409,
        "Keys are being changed",
        "Changement de clés en cours",
        "attendez le premier message du compteur sous les clés demandées",
    ),
    Code.INDEX_BEHIND: (
        409,
        "Register behind the books",
        "Index inférieur aux relevés",
        "relisez le totalisateur : il indique moins que ce que le compteur a transmis",
    ),
    Code.SLOTS_ASKED: (
        400,
        "No such half-hours",
        "Demi-heures impossibles",
        "désignez 1 à 1 020 demi-heures passées",
    ),
    Code.METER_RETIRED: (
        409,
        "Meter taken away",
        "Compteur déposé",
        "ce compteur a été déposé et son identifiant ne revit jamais ; désignez celui qui est en place",
    ),
    Code.METER_SPARE: (
        409,
        "Spare meter",
        "Compteur de rechange",
        "ce compteur est de rechange et n’a pas encore d’abonné ; posez-le d’abord à la place d’un autre",
    ),
    Code.NOT_THE_SPARE: (
        409,
        "Not the spare of this meter",
        "Pas le compteur de rechange de celui-ci",
        "préparez le nouveau compteur comme rechange de celui qu’il remplace, et posez-le à la place de celui-là",
    ),
    **FIELD_TEXTS,
    **RELEASE_TEXTS,
}


def problem_code(code: Code) -> str:
    """METER_EXISTS → "meter_exists"."""
    return code.name.lower()


def kind(code: Code) -> Kind:
    """The catalogue entry of one refusal; `detail` is what was given."""
    status, title_en, title_fr, remedy_fr = _TEXTS[code]
    return Kind(
        status,
        title_en,
        title_fr,
        f"Refused ({{detail}}): {REMEDIES[code]}. Nothing was changed.",
        f"Refusé ({{detail}}) : {remedy_fr}. Rien n’a été modifié.",
    )


KINDS = {problem_code(code): kind(code) for code in Code}

# What to do, in French, by the English remedy of headend/refusals.py.
FRENCH_REMEDIES = {REMEDIES[code]: _TEXTS[code][3] for code in Code}
