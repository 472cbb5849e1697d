"""Words that show that a text speaks of passwords instead of being one."""

# ruff: noqa: E501

from __future__ import annotations

SAID_OF_PASSWORDS = frozenset(
    # of what it is or has to be
    "string varchar boolean integer number object array text value field column type nullable secret password passwort "
    "passphrase passcode kennwort contrase\u00f1a senha wachtwoord mot passe parola has\u0142o heslo l\u00f6senord token "
    "required optional mandatory missing empty blank none null undefined unknown default example placeholder redacted "
    "hidden masked encrypted hashed plain plaintext base random generated minimum maximum length characters character "
    "letters digits symbols uppercase lowercase numbers special strong weak secure insecure sensitive "
    # of what became of it
    "incorrect invalid wrong correct valid mismatch rejected accepted denied expired changed change reset forgotten forgot "
    "updated update created create deleted disabled enabled enable disable locked verified failed failure success error "
    "stored saved rotated revoked prompt prompted asked provided supplied given entered enter choose confirm repeat login "
    # in other languages
    "erforderlich falsch ung\u00fcltig vergessen \u00e4ndern ge\u00e4ndert abgelaufen zeichen mindestens requis obligatoire incorrect "
    "invalide oubli\u00e9 expir\u00e9 caract\u00e8res requerido incorrecta olvidada caducada caracteres inv\u00e1lida errata "
    "richiesta scaduta dimenticata incorreta esquecida vereist ongeldig vergeten verlopen b\u0142\u0119dne wymagane "
    # where it comes from
    "environment variable config configuration settings vault keychain keyring manager policy include public private "
    "database server service username account system".split()
)
"""Of these a password is none, and in a pass-phrase stands none."""

IN_SENTENCES = frozenset(
    "the and for are was were not but from has had its our your his her their which would should could must been being "
    "with without than these those does doesn't don't can't isn't is in of to at be or an if it as on by we he she "
    "der die das den dem ein eine einen und oder nicht ist sind war mit f\u00fcr von zum zur auf aus bei wird werden muss darf "
    "le la les des du une et est pas pour dans avec sur vous votre doit sont ce cette "
    "el los las del una y es no para con por que su tu debe se "
    "il lo gli di e che non per con sua tuo deve della "
    "o os um uma da do e n\u00e3o para com seu sua "
    "het een niet voor met zijn moet "
    "jest nie na si\u0119 dla oraz "
    "och inte f\u00f6r med som att "
    "og ikke til er".split()
)
"""Words that no sentence does without; none of them is one of those that recovery phrases are made of."""
