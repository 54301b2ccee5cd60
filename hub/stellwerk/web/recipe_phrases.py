"""What the pages say of the form that asks for the newsletter, in English and German, by key."""

from __future__ import annotations

from collections.abc import Mapping

RECIPE: Mapping[str, tuple[str, str]] = {
    "form": ("Your form", "Ihr Formular"),
    "form-link": ("How the form asks", "Wie das Formular fragt"),
    "form-why": (
        "Whoever says yes there gets in. Add the property “{label}” to your form in {system}:",
        "Wer dort Ja sagt, wird aufgenommen. Fügen Sie Ihrem Formular in {system} die Eigenschaft „{label}“ hinzu:",
    ),
    "form-picture": (
        "A form with a field for the e-mail address, below it a box to tick, “{label}”, and a button",
        "Ein Formular mit einem Feld für die E-Mail-Adresse, darunter ein Kästchen „{label}“ und ein Knopf",
    ),
    "form-email": ("E-mail", "E-Mail"),
    "form-send": ("Submit", "Absenden"),
    "form-box": ("Your form has a box to tick", "Ihr Formular hat ein Kästchen"),
    "form-box-do": (
        "Add it as a visible single checkbox. Who leaves it empty is not asked, and nobody is unsubscribed by it.",
        "Als sichtbares einzelnes Kontrollkästchen. Wer es leer lässt, wird nicht gefragt, und niemand wird dadurch abgemeldet.",
    ),
    "form-hidden": ("It is the newsletter form", "Es ist das Newsletter-Formular"),
    "form-hidden-do": (
        "Add it as a hidden field with the value Yes: who submits the form has asked for the newsletter.",
        "Als verstecktes Feld mit dem Wert Ja: Wer das Formular absendet, hat um den Newsletter gebeten.",
    ),
    "form-other": ("It is for something else", "Es ist für etwas anderes"),
    "form-other-do": (
        "Leave it out. What no answer counts as is a setting above.",
        "Weglassen. Als was keine Angabe zählt, ist eine Einstellung weiter oben.",
    ),
    "form-name": ("Its internal name in {system}:", "Ihr interner Name in {system}:"),
}
