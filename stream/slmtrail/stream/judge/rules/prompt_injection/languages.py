"""Setting instructions aside, and asking for the system prompt, in other languages than English."""
# ruff: noqa: E501, RUF001

from __future__ import annotations

from typing import Any

from slmtrail.core.guards import compiled

# (Verbs, whose, what) by language, without marks on letters; either the three in the order verb … what, or what … verb.
_LANGUAGES: dict[str, tuple[str, str, str]] = {
    "de": (
        r"ignorier\w*|vergiss|vergesst|vergessen sie|missacht\w*|missachte|uber(?:geh|spring)\w*|befolge (?:nicht|keine)|setz\w* .{0,30}ausser kraft|umgeh\w*|verwirf",
        r"vorherig\w*|bisherig\w*|obig\w*|fruher\w*|vorangegangen\w*|vorig\w*|dein\w*|ihre|alle|samtlich\w*|ursprunglich\w*|bis(?:her| jetzt)",
        r"anweisung\w*|alles,? was|alles (?:bisherige|vorherige|davor|obige)|instruktion\w*|vorgaben|regeln|befehl\w*|richtlinien|systemprompt|vorschriften|anordnung\w*",
    ),
    "fr": (
        r"ignor\w+|oubli\w+|ne (?:tiens|tenez) (?:pas|plus|aucun)|ne (?:suis|suivez|respecte\w*) (?:pas|plus)|neglige\w*|outrepass\w+|fais abstraction|contourn\w+|mets de cote",
        r"precedent\w*|anterieur\w*|tes|vos|ci-dessus|toutes?|tous|initial\w*|d'avant|qui precedent|recu\w*|jusqu",
        r"instructions?|tout ce qui|ce qui (?:precede|a ete dit)|consignes?|directives?|regles?|ordres?|recommandations",
    ),
    "es": (
        r"ignor\w+|olvid\w+|descart\w+|haz caso omiso|no (?:sigas|hagas caso|obedezcas)|omite|omita|pasa por alto|salta\w*|desobedec\w+|deja de lado",
        r"anterior\w*|previ\w+|tus|sus|todas?|todos|inicial\w*|original\w*|que (?:te|le) dieron|hasta ahora|de arriba|recibid\w+",
        r"instrucci\w+|lo (?:anterior|de arriba|de antes)|lo que (?:te|se)|ordenes|directrices|reglas|indicaciones|directivas|restricciones|normas",
    ),
    "it": (
        r"ignor\w+|dimentic\w+|trascur\w+|non (?:seguire|considerare|rispettare)|tralasci\w+|scord\w+|aggir\w+|metti da parte",
        r"precedent\w*|anterior\w*|tu[eo]i?|tutt[eio]|inizial\w*|original\w*|qui sopra|ricevut\w+|finora",
        r"istruzion\w+|(?:quello|cio) che|indicazion\w+|direttiv\w+|regol\w+|ordini|linee guida",
    ),
    "pt": (
        r"ignor\w+|esque[cç]\w+|desconsider\w+|desrespeit\w+|nao (?:siga|sigas|obede\w+)|descart\w+|deixe de lado|contorn\w+",
        r"anterior\w*|previ\w+|suas?|seus?|tuas?|todas?|todos|inicia\w+|origina\w+|acima|ate agora|que (?:te|lhe) deram|recebid\w+",
        r"instruco\w+|instrucao|ordens|diretri\w+|regras|orientac\w+|comandos|restric\w+",
    ),
    "nl": (
        r"negeer\w*|vergeet|negeren|sla .{0,20}over|houd je niet aan|volg .{0,20}niet|omzeil\w*|leg .{0,20}naast je neer",
        r"vorige|eerdere|voorgaande|bovenstaande|je|jouw|uw|alle|oorspronkelijke|tot nu toe",
        r"instructies?|aanwijzingen|opdrachten|regels|richtlijnen|voorschriften",
    ),
    "sv": (
        r"ignorera\w*|glom|bortse fran|strunta i|folj inte|asidosatt\w*|hoppa over|ignorer|glem|se bort fra|ignoroi|unohda",
        r"tidigare|foregaende|ovanstaende|dina|alla|ursprungliga|tidligere|forrige|dine|alle|aiemmat|kaikki|edelliset",
        r"instruktion\w*|anvisning\w*|regler\w*|riktlinjer\w*|order|instruks\w*|retningslinjer|ohjeet|saannot",
    ),
    "pl": (
        r"zignoruj\w*|ignoruj\w*|zapomnij\w*|pomin\w*|nie (?:przestrzegaj|stosuj|sluchaj)\w*|odrzuc\w*|ignoruj|zapomen|ignorujte|zapomente",
        r"poprzedni\w*|wczesniejsz\w*|powyzsz\w*|swo\w+|tw\w+|wszystki\w*|dotychczasow\w*|predchozi|vsechny|sve",
        r"instrukcj\w*|polece\w*|zasad\w*|regul\w*|wytyczn\w*|nakaz\w*|instrukce|pokyny|pravidla",
    ),
    "tr": (
        r"yok say\w*|unut\w*|gormezden gel\w*|dikkate alma\w*|goz ardi et\w*|uyma\b|dinleme\b|bosver\w*",
        r"onceki|daha onceki|yukaridaki|tum|butun|sana verilen|su ana kadar|baslangictaki|senin",
        r"talimat\w*|yonerge\w*|kural\w*|komut\w*|emir\w*|direktif\w*",
    ),
    "id": (
        r"abaikan|lupakan|jangan (?:ikuti|hiraukan)|hiraukan|kesampingkan|bo qua|quen|phot lo|dung (?:lam|tuan) theo",
        r"sebelumnya|di atas|semua|seluruh|kamu|anda|awal|truoc|o tren|tat ca|moi|ban dau|cua ban",
        r"instruksi|perintah|aturan|petunjuk|arahan|pedoman|huong dan|chi (?:dan|thi)|quy tac|menh lenh|lenh",
    ),
    "ru": (
        r"игнориру\w*|проигнориру\w*|забудь\w*|забыть|отбрось\w*|не (?:следуи|выполняи|соблюдаи|обращаи)\w*|пренебре\w*|отмени\w*|ігноруи\w*|забудь|знехтуи\w*|нарушь\w*",
        r"предыдущ\w*|прежн\w*|прошл\w*|ранее|выше\w*|все\w*|твои\w*|свои\w*|ваши\w*|начальн\w*|изначальн\w*|попередн\w*|усі|всі|даннi\w*|полученн\w*|данные тебе",
        r"инструкци\w*|указани\w*|правил\w*|команд\w*|приказ\w*|директив\w*|промпт\w*|настроик\w*|інструкці\w*|вказівк\w*|установк\w*|ограничени\w*",
    ),
    "zh": (
        r"忽略|无视|無視|忘记|忘記|忘掉|不要遵守|不要遵循|不要理会|不要理會|不用理会|抛开|拋開|绕过|繞過|丢弃|违反|停止遵守",
        r"之前|以前|先前|上面|上述|以上|前面|所有|全部|你的|您的|原来|原來|最初|初始|任何|一切|系统|系統",
        r"指令|指示|提示|规则|規則|命令|设定|設定|要求|说明|說明|限制|约束|約束|内容",
    ),
    "ja": (
        r"無視|忘れ|従わない|従うな|破棄|取り消|無効|気にしない|放棄|スキップ|守らない",
        r"以前|これまで|今まで|前の|上記|上の|先ほど|すべて|全て|あなたの|最初の|元の|与えられた|システム|全部",
        r"指示|命令|ルール|プロンプト|設定|指令|制約|規則|ガイドライン|インストラクション|制限",
    ),
    "ko": (
        r"무시|잊어|잊고|따르지|지키지|무효|제쳐|버려|버리고|건너뛰|우회",
        r"이전|앞선|위의|위에|기존|모든|지금까지|너의|당신의|원래|처음|초기|받은|네",
        r"지시|명령|규칙|지침|프롬프트|설정|안내|제한|제약",
    ),
    "ar": (
        r"تجاهل|انس|انسى|تجاوز|لا تتبع|لا تلتزم|اهمل|أهمل|تغاض|نادیده بگیر|فراموش کن",
        r"السابقة|سابقة|أعلاه|اعلاه|جميع|كل|الأصلية|الاصلية|الخاصة بك|التي|السابقه|قبلی|تمام|همه",
        r"التعليمات|تعليمات|الأوامر|الاوامر|القواعد|التوجيهات|الإرشادات|تعليماتك|قواعدك|دستورات|دستورالعمل|قوانین",
    ),
    "hi": (
        r"अनदेखा|नजरअंदाज|नज़रअंदाज|भूल|मत मान|उपेक्षा|ध्यान मत|পালন করো না|উপেক্ষা|ভুলে",
        r"पिछले|पिछली|पहले|ऊपर|सभी|सारे|अपने|आपके|पूर्व|तमाम|আগের|সব|সমস্ত",
        r"निर्देश|आदेश|नियम|हिदायत|दिशानिर्देश|निर्देशों|नियमों|নির্দেশ|নিয়ম",
    ),
}
_PROMPT_ELSEWHERE = (
    r"system ?-?prompt|prompt (?:sistema|systeme|du systeme|del sistema|do sistema|systemowy)|systemanweisung\w*|"
    r"prompt de(?:l)? sistema|prompt de systeme|invite systeme|systeemprompt|sistem (?:istemi|talimat\w*)|"
    r"системн\w+ (?:промпт|инструкци|запрос|подсказк)\w*|系统提示词?|系統提示詞?|システムプロンプト|시스템 ?프롬프트|"
    r"موجه النظام|تعليمات النظام|सिस्टम प्रॉम्प्ट|prompt sistem|mensaje del sistema|messaggio di sistema"
)
_SHOW_ELSEWHERE = (
    r"zeig\w*|gib|verrat\w*|nenn\w*|wiederhol\w*|drucke?|montr\w+|affich\w+|revel\w+|repet\w+|donn\w+|muestra\w*|ensena\w*|"
    r"imprim\w+|repit\w+|mostr\w+|stamp\w+|rivel\w+|ripet\w+|exib\w+|toon|herhaal|onthul|visa|upprepa|pokaz\w*|ujawnij|"
    r"wypisz|powtorz|goster|yazdir|tekrarla|tampilkan|ungkapkan|ulangi|hien thi|покажи\w*|выведи\w*|раскрои\w*|повтори\w*|"
    r"напиши\w*|显示|顯示|输出|輸出|告诉|告訴|重复|重複|打印|见せ|見せ|表示|教え|出力|繰り返|보여|출력|알려|반복|اعرض|أظهر|اظهر|اطبع|كرر|दिखा|बता|दोहरा|प्रिंट"
)


def _elsewhere(verbs: str, whose: str, what: str) -> tuple[Any, Any]:
    gap = r"[^.!?;。！？\n]{0,40}?"
    if verbs.isascii():
        verbs, whose, what = rf"\b(?:{verbs})\b", rf"\b(?:{whose})\b", rf"\b(?:{what})\b"
    one = compiled(rf"(?:{verbs}){gap}(?:{what})[^.!?;。！？\n]{{0,30}}")
    return compiled(rf"(?:{one.pattern})|(?:{what}){gap}(?:{verbs})"), compiled(rf"(?:{whose})")


ELSEWHERE = {name: _elsewhere(*words) for name, words in _LANGUAGES.items()}
_WHICH = (
    r"welche (?:anweisungen|regeln|instruktionen|vorgaben)[^.!?]{0,30}(?:bekommen|erhalten|gegeben|hast du)|"
    r"quelles (?:instructions|consignes)[^.!?]{0,30}(?:recu|donne|as-tu)|que instrucciones[^.!?]{0,30}(?:recib|dieron|tienes)|"
    r"(?:quel(?:le)? est|cual es|qual e|was ist|wie lautet) (?:ton|votre|tu|su|il tuo|o seu|dein|ihr)\w*[^.!?]{0,20}(?:prompt|anweisung)"
)
REVEAL_ELSEWHERE = compiled(
    rf"{_WHICH}|(?:{_SHOW_ELSEWHERE})[^.!?。]{{0,50}}(?:{_PROMPT_ELSEWHERE})|(?:{_PROMPT_ELSEWHERE})[^.!?。]{{0,30}}(?:{_SHOW_ELSEWHERE})"
)
