"""The words by which a wish shows in languages with Latin letters."""
# ruff: noqa: E501, RUF001

from __future__ import annotations

from slmtrail.stream.judge.rules.prompt_injection.words import PROMPT, latin, near, script, void

GERMAN = latin(
    called=r"(?:hinweis|nachricht|anweisung|notiz|achtung|bitte|information)\w*(?: (?:an|fur))?[ ,:]{1,2}(?:die |den |das |jede\w* |alle )?(?:ki|ai|llm|chat-?bot|sprachmodell|assistent|bot|copilot)(?:s|e|en|n|-\w+)?|(?:wenn|falls|sobald) (?:du|sie|ein\w*) (?:ein\w* )?(?:ki|ai|llm|chat-?bot|sprachmodell|bot|ki-\w+)(?:s|e|en|n)?|(?:ki|ai|llm|chat-?bots?|sprachmodelle?)(?:-\w+)?(?: ?[:,] \w+| (?:mussen|muss|sollen|soll|haben|hat))",
    deed=r"ein(?:zu)?stufen|(?:zu )?bewerten|einzustufen|zu nennen|zu empfehlen|auszugeben|ignorier\w*|vergiss|empf[ie]\w+|send\w+|schick\w*|leit\w+|antwort\w*|bewert\w+|genehmig\w*|losch\w*|offn\w*|klick\w*|uberweis\w*|ruf\w*|fuhr\w*|gib|geben|nenn\w*|verrat\w*|sag\w*|stuf\w*|markier\w*|fug\w*|behaupt\w*",
    hush=r"ohne (?:dies|das|es|darauf) (?:zu )?(?:erwahnen|hinzuweisen|sagen|nennen|verraten)|(?:sag|erwahn|verrat|zeig|informier|teil|meld)\w*\b[^.!?]{0,24}\b(?:nicht|nichts|niemandem|keinem)|ohne (?:es |dies |das )?(?:dem|den|der) (?:nutzer|benutzer|anwender|leser)\w*|heimlich|stillschweigend",
    untask=r"(?:vergiss|ignorier\w*|missacht\w*) (?:die|den|das) (?:aufgabe|frage|anfrage|wunsch|bitte|auftrag)\w*(?: (?:des|der) (?:nutzer|benutzer|anwender|leser)\w*)?|fass\w* [^.!?]{0,20}nicht zusammen",
    drop=r"ignorier\w*|vergiss|vergesst|vergessen sie|missacht\w*|ubergeh\w*|uberspring\w*|umgeh\w*|verwirf|brich|breche|verletz\w*|deaktivier\w*|pfeif|hor auf|"
    r"(?:schalt|stell|dreh|knips|mach)\w* [^.!?]{0,40}?(?:aus|ab|weg)|(?:lass|leg|schieb|stell|wirf|setz)\w* [^.!?]{0,40}?(?:beiseite|hinweg|weg|fallen|links liegen|ab|uber bord|ausser kraft|zuruck)|"
    r"(?:halt\w* dich|folge|befolge|beachte|achte|hor\w*|befolgst|folgst|beachtest|brauchst|musst)\b[^.!?]{0,25}?\b(?:nicht|keine\w*|niemals)|ausgeschaltet|abgeschaltet|deaktiviert|ausser kraft|"
    r"geloscht|heb\w* [^.!?]{0,30}?auf|ohne dein\w*|trotz dein\w*|gegen dein\w*|statt dein\w*|entgegen dein\w*|egal,? was|nicht (?:mehr )?(?:an|gebunden|halten)|befrei\w*|entbunden",
    own=near(
        r"\b(?:vorherig|bisherig|obig|fruher|vorangegangen|vorig|dein|samtlich|ursprunglich|bestehend|alle)\w*|\bihre\b|\bbis(?:her| jetzt)\b",
        r"anweisung\w*|instruktion\w*|vorgabe\w*|\bregel\w*|befehl\w*|richtlinie\w*|systemprompt|vorschrift\w*|anordnung\w*|filter\w*|sicherheits\w*|schutz\w*|einschrankung\w*|beschrankung\w*|grenzen|programmierung|moral\w*|ethik\w*|zensur\w*|sperre\w*",
    )
    + r"|\balles,? was (?:man )?(?:dir|du)\b|\balles (?:bisherige|vorherige|davor|obige)\b",
    void=void(
        yours=r"dein\w*|dir gegeben\w*",
        prior=r"vorherig\w*|bisherig\w*|obig\w*|vorangegangen\w*|alle",
        orders=r"anweisung\w*|instruktion\w*|befehle?|systemprompt|prompt",
        rules=r"vorgabe\w*|regeln?|richtlinien?|vorschriften|filter|grenzen|einschrankungen|beschrankungen|sperren",
        over=r"(?:gelten|gilt|existier\w+|zahl\w+)\b[^.!?]{0,12}?\b(?:nicht|keine\w*)|aufgehoben|ungultig|hinfallig|nichtig|erloschen|abgelaufen|vorbei|ausser kraft|weggefallen",
    ),
    part=r"du bist|sie sind|tu so|stell dir vor|spiel\w*|simulier\w*|benimm dich|verhalte dich|nimm die rolle|rolle|sei|antworte (?:als|wie)|als ob|angenommen|wurdest du",
    free=r"(?:jede|alle|keine)\w* (?:vorschrift|regel|vorgabe|grenze)\w* (?:vollig |ganz )?(?:egal|gleichgultig|fremd|schnuppe)|(?:schert|kummert) sich (?:\w+ )?(?:nicht|nicht mehr) um (?:\w+ )?(?:regel|vorschrift|moral|vorgabe)\w*|(?:ohne|keine\w*|frei von|jenseits von)(?: jede\w*| alle\w*| irgendwelche\w*)?(?: \w+){0,2} (?:einschrankung\w*|beschrankung\w*|regel\w*|leitplanken|schranken|grenzen|filter|zensur|moral\w*|ethik\w*|richtlinie\w*|vorgabe\w*|skrupel|tabus?|hemmung\w*)|"
    r"un(?:eingeschrankt|zensiert|gefiltert|moralisch)\w*|skrupellos\w*|hemmungslos\w*",
    show=r"zeig\w*|gib|verrat\w*|nenn\w*|wiederhol\w*|druck\w*|schreib\w*|sag\w*|lies|was|welche\w*|wie laute\w*|kopier\w*|ubersetz\w*|fass\w*|zitier\w*|liste\w*|offenbar\w*|leg\w* offen",
    unseen=rf"(?:dein\w*|den|das|geheim\w*|versteckt\w*|verborgen\w*|intern\w*|ursprunglich\w*)(?: \w+){{0,2}} (?:{PROMPT}|systemanweisung\w*|systemnachricht)|(?:dein\w*|die) (?:\w+ )?(?:geheim|versteckt|verborgen|intern|ursprunglich|exakt|vollstandig)\w* (?:anweisung|instruktion|regel|vorgabe|konfiguration)\w*|"
    r"(?:anweisung|instruktion|regel|vorgabe|konfiguration|befehl|text)\w*,? (?:die|den|das|welche)? ?(?:du|dir)\b[^.!?]{0,30}?(?:bekommen|erhalten|gegeben|hast|befolgst|gesagt|mitgegeben|vorgegeben)|deine (?:system)?(?:anweisung|instruktion|konfiguration)\w*|"
    r"(?:text|alles|worte|nachricht)\b[^.!?]{0,20}?\b(?:vor|oberhalb|uber)\b[^.!?]{0,12}?(?:gesprach\w*|unterhaltung|chat\w*|nachricht|konversation)|(?:instruktionen|anweisungen|regeln|vorgaben) (?:hast du|wurden dir|bekamst du)[^.!?]{0,20}",
    guard=r"filter\w*|sicherheits\w+|moderation|zensur\w*|schutzma\w+|inhaltsfilter",
    freely=r"ohne (?:dich )?(?:je |jemals |zu )*(?:zu )?(?:weigern|verweigern|abzulehnen)|weigere dich (?:nie|nicht|niemals)|die alles beantwortet|der alles beantwortet|(?:antworte|sprich|rede|sag|erklar\w*|beantworte)\w*\b[^.!?]{0,30}?(?:frei|ungehemmt|offen|alles|ungefiltert|ohne (?:filter|hemmung\w*|einschrankung\w*|zensur|tabus))|verweiger\w* (?:nichts|nie|keine)|lehn\w* nichts ab",
    obey=r"(?:gehorch|folg|hor)\w* (?:ab jetzt |nur |allein |ausschliesslich )*(?:noch )?(?:auf )?mir\b|nur noch (?:meine (?:befehle|anweisungen|regeln)|mir|auf mich)",
)
FRENCH = latin(
    called=r"(?:note|message|instructions?|attention|avis|consigne)s?(?: (?:pour|a|aux?|destinee? a))?[ ,:]{1,3}(?:l')?(?:les |la |le |tou\w+ (?:les )?)?(?:ia|llm|chat-?bot|modeles? de langage|assistant|robot|agent)s?(?: ia)?|(?:si|quand|lorsque) (?:tu es|vous etes|une|un) (?:une? )?(?:ia|llm|chat-?bot|modele de langage|assistant)|(?:ia|llm|chat-?bot|assistant)s? ?[:,] \w+",
    deed=r"ignor\w+|oubli\w+|recommand\w+|envo\w+|repon\w+|reponds?|approuv\w+|supprim\w+|ouvr\w+|cliqu\w+|transfer\w+|virez?|appel\w+|execut\w+|donn\w+|affirm\w+|not\w+|class\w+|revel\w+|dis|dites|ajout\w+",
    hush=r"(?:ne|n') ?(?:dis|dites|mentionne\w*|revele\w*|montre\w*|informe\w*|parle\w*|signale\w*)\b[^.!?]{0,20}\b(?:pas|rien|personne)|sans (?:le dire|prevenir|informer|avertir)|en silence|secretement|discretement",
    untask=r"(?:ignor\w+|oubli\w+) (?:la|le|les) (?:demande|question|requete|tache)s?(?: d\w+ \w+)?|ne (?:resume\w*|traduis\w*) pas",
    drop=r"laisse\w* tomber|balance\w*|jette\w*|passe\w* outre|moque\w* (?:toi|vous)|fiche\w*|oublie\w*|ignor\w+|oubli\w+|comme si [^.!?]{0,40}(?:jamais|pas)|ne (?:tiens|tenez|suis|suivez|respecte\w*|obei\w*|applique\w*) (?:pas|plus|aucun\w*)|(?:sans tenir|plus) compte|neglige\w*|outrepass\w+|fai(?:s|tes) (?:abstraction|fi)|contourn\w+|(?:mets|mettez|laisse\w*) [^.!?]{0,30}?de cote|"
    r"desactiv\w+|eteins|eteignez|coupe\w*|abandonn\w+|enfrein\w+|viol\w+|debarrasse\w*|leve\w* |revoqu\w+|suspend\w*|sans (?:tes|vos)|"
    r"malgre (?:tes|vos)|contre (?:tes|vos)|(?:passe|passez) outre|libere\w*|affranchi\w*|jette\w*",
    own=near(
        r"\b(?:precedent\w*|anterieur\w*|tes|ton|ta|vos|votre|ci-dessus|initial\w*|anciennes?|d'avant|recu\w*|jusqu\w*|toutes les|tous les)\b",
        r"\b(?:instructions?|consignes?|directives?|regles?|ordres?|recommandations?|filtres?|limites?|restrictions?|garde-fous?|politiques?|programmation|morale|ethique|securite|prompt|censure)\b",
    )
    + r"|\btout ce (?:qui|qu'on|que)\b|\bce qui (?:precede|a ete dit)\b",
    void=void(
        yours=r"tes|ton|ta|vos|votre",
        prior=r"precedente?s?|anterieure?s?|toutes les|initiales?|ci-dessus",
        orders=r"instructions?|consignes?|ordres?|directives?|prompt",
        rules=r"regles?|limites?|restrictions?|filtres?|garde-fous?|politiques?|programmation",
        over=r"annul\w+|caduque\w*|revoqu\w+|suspendue?s?|invalides?|(?:ne )?(?:s'appliquent?|valent?|comptent?|existent?) plus|n'ont plus",
    ),
    part=r"tu es|vous etes|fais comme si|faites comme si|imagine\w*|suppos\w+|joue\w*|agis|agissez|comporte\w*|incarne\w*|deviens|devenez|prends le role|role|reponds (?:comme|en tant)|si tu",
    free=r"sans (?:avertissements?|mises? en garde|parler de tes (?:regles|limites)|mentionner tes (?:regles|limites))|n'obei\w* a (?:rien|aucun\w*|personne)|(?:sans|aucune?s?|pas de|plus de|libre de)(?: toute?s?| aucune?s?)?(?: \w+){0,1} (?:regles?|limites?|restrictions?|filtres?|censure|morale|ethique|consignes?|tabous?|garde-fous?|contraintes?)|non (?:censure|filtre)\w*|amoral\w*|debride\w*",
    show=r"recit\w+|recopi\w+|restitu\w+|reproduis\w*|communiqu\w+|montr\w+|affich\w+|revel\w+|repet\w+|repete\w*|donn\w+|dis|dites|ecris|ecrivez|quel\w*|recopi\w+|copi\w+|imprim\w+|traduis\w*|resum\w+|cite\w*|liste\w*|divulgu\w+|decri\w+",
    unseen=rf"(?:texte|tout|message|ce) qui (?:precede|se trouve avant|vient avant|est au-dessus)\b[^.!?]{{0,10}}(?:mon|ma|notre|cette)\b|(?:texte|message|instructions|consignes|tout)\b[^.!?]{{0,20}}(?:avant|au-dessus de) mon (?:premier )?message|(?:ton|votre|le|l'|tes|vos)(?: \w+){{0,2}} ?(?:{PROMPT}(?: systeme)?|invite systeme|message systeme)|instructions systeme|(?:instructions?|consignes?|regles?|directives?|texte|message) (?:\w+ )?(?:secret|cache|initial|interne|confidentiel|original)\w*|"
    r"(?:instructions?|consignes?|regles?)\b[^.!?]{0,20}?(?:que tu as|qu'on t'a|qu'on vous a|as-tu|avez-vous|recues?)|tes (?:instructions|consignes)|texte\b[^.!?]{0,20}?(?:precede|avant|au-dessus|debut)[^.!?]{0,20}?(?:conversation|discussion|echange|message)",
    guard=r"filtres?|moderation|securite|garde-fous?|censure",
    freely=r"sans (?:jamais )?(?:refuser|rechigner)|ne refuse\w* (?:rien|jamais)|(?:parle|reponds|dis|explique|repondez|parlez)\w*\b[^.!?]{0,30}?(?:librement|franchement|a tout|tout|sans (?:limites?|filtres?|censure|retenue|restrictions?|tabous?))|ne refuse\w* (?:rien|jamais|aucun\w*)",
    obey=r"obei\w* (?:qu'|uniquement |seulement )a moi|n'(?:obeis|ecoutes?) (?:plus )?qu'?(?:e )?(?:a )?moi",
)
SPANISH = latin(
    called=r"(?:nota|mensaje|instruccion(?:es)?|atencion|aviso)s?(?: (?:para|a))?[ ,:]{1,2}(?:la |el |los |las |cualquier |tod\w+ )*(?:ia|llm|chat-?bot|modelos? de lenguaje|asistente|agente|robot)s?|(?:si|cuando) (?:eres|es usted|una?) (?:una? )?(?:ia|llm|chat-?bot|modelo de lenguaje|asistente)|(?:ia|llm|chat-?bot|asistente)s? ?[:,] \w+",
    deed=r"ignor\w+|olvid\w+|recomiend\w+|recomend\w+|envi\w+|respond\w+|contest\w+|aprueb\w+|aprob\w+|borr\w+|elimin\w+|abr\w+|haz|transfier\w+|llam\w+|ejecut\w+|di|diga|califi\w+|clasific\w+|revel\w+|anad\w+|afirm\w+",
    hush=r"no (?:le |les |se lo )*(?:digas|diga|menciones|mencione|muestres|muestre|cuentes|cuente|informes|informe|reveles|revele|avises)|sin (?:decirle|avisar|informar|mencionar)|en secreto|en silencio",
    untask=r"(?:ignor\w+|olvid\w+) (?:la|el|lo) (?:peticion|pregunta|solicitud|tarea|que (?:pide|pidio))(?: del? \w+)?|no (?:resumas|traduzcas)",
    drop=r"saltar?te|saltate|pasa(?:r)? de|desentiendete|deshazte|libr\w+ de|quitate|ignor\w+|olvid[ae]\w*|descart\w+|haz caso omiso|no (?:sigas|hagas caso|obedezcas|respetes|apliques)|omite|omita|pasa por alto|salta\w*|desobede\w+|(?:deja|dejar|pon|poner) [^.!?]{0,25}?(?:de|a un) lado|desactiv\w+|apag\w+|"
    r"abandon\w+|viola\w*|incumpl\w+|rompe\w*|elud\w+|evad\w+|levanta\w*|anula|suspende|cancela|revoca|sin (?:aplicar|tus|seguir|respetar)|contra tus|pese a tus|libera\w*|tira\w*",
    own=near(
        r"\b(?:anterior\w*|previ\w+|tus?|sus|inicial\w*|original\w*|que (?:te|le) dieron|hasta ahora|de arriba|recibid\w+|todas las|todos los|existentes)\b",
        r"\b(?:instrucci\w+|ordenes|directrices|reglas|indicaciones|directivas|restricciones|normas|filtros?|limit\w+|politicas?|programacion|seguridad|etica|moral|prompt|censura|salvaguardas?)\b",
    )
    + r"|\b(?:saltarte|saltate|pasa|pasar|olvidate|olvidarte|desentiendete|deshazte) (?:de )?(?:las|los|tus|todas las|todos los) (?:normas|reglas|limites|instrucciones|restricciones|filtros)\b"
    + r"|\blo (?:anterior|de arriba|de antes)\b|\btodo lo que (?:te|se)\b|\blo que te\b",
    void=void(
        yours=r"tus?|que (?:te|le) dieron",
        prior=r"anterior(?:es)?|previ[ao]s|iniciales|todas las|de arriba",
        orders=r"instrucci\w+|ordenes|directivas|indicaciones|directrices|prompt",
        rules=r"reglas|normas|restricciones|filtros?|limites|limitaciones|politicas?|programacion|salvaguardas?",
        over=r"anulad\w+|invalid\w+|suspendid\w+|revocad\w+|cancelad\w+|derogad\w+|(?:ya )?no (?:valen|rigen|cuentan|se aplican|aplican|existen|sirven)",
    ),
    part=r"eres|actua\w*|finge|fingir|imagina\w*|supon\w*|comportate|haz de|hazte|juega|interpreta\w*|conviertete|asume|papel|responde como|como si|si no tuvieras",
    free=r"(?:sin|ninguna?|no (?:tienes|tuvieras|hay)|libre de|carente de)(?: ning\w+)?(?: \w+){0,1} (?:reglas?|normas?|limit\w+|restriccion\w*|filtros?|censura|moral|etica|directrices|tabues|ataduras)|amoral|desinhibid\w+",
    show=r"muestra\w*|ensena\w*|imprim\w+|repit\w+|mostr\w+|dime|di|dame|escrib\w+|revel\w+|cual\w*|que|copia\w*|traduc\w+|resum\w+|cita\w*|enumer\w+|divulg\w+",
    unseen=rf"(?:lo que|texto que|todo lo que|mensaje que)\b[^.!?]{{0,30}}(?:antes de (?:que yo|mi|este)|por encima de (?:mi|este))|(?:tu|el|su)(?: \w+){{0,2}} ?(?:{PROMPT}(?: de(?:l)? sistema)?|mensaje de(?:l)? sistema)|prompt de(?:l)? sistema|mensaje del sistema|(?:instrucciones|reglas|normas|directrices|texto|mensaje) (?:\w+ )?(?:secret|ocult|inicial|intern|confidencial|original)\w*|"
    r"(?:instrucciones|reglas|normas|ordenes)\b[^.!?]{0,20}?(?:que te|que has|recibiste|te dieron|recib\w+)|tus instrucciones|(?:texto|todo|escrito)\b[^.!?]{0,25}?(?:antes|encima|precede|arriba)\b[^.!?]{0,15}?(?:conversacion|mensaje|chat|dialogo)",
    guard=r"filtros?|moderacion|seguridad|salvaguardas?|censura",
    freely=r"no te niegues|sin negarte|sin rodeos|no me digas que no|concede\w* cualquier\w*|(?:habla|responde|contesta|di|explica)\w*\b[^.!?]{0,30}?(?:libre\w*|libertad|todo|cualquier\w*|sin (?:limit\w+|filtros?|censura|restriccion\w*|tapujos))|no (?:te niegues|rechaces|rehuses)",
    obey=r"sol[oa](?:mente)? me obedec\w+|obedec\w+ (?:solo |unicamente )a mi",
)
ITALIAN = latin(
    called=r"(?:nota|messaggio|istruzion[ie]|attenzione|avviso)(?: (?:per|a|all'))?[ ,:]{1,2}(?:l'|la |il |gli |le |ogni |tutt\w+ )*(?:ia|ai|llm|chat-?bot|modell[oi] linguistic[oi]|assistent[ei]|agent[ei])|(?:se|quando) (?:sei|un[a']?) ?(?:un[a']? ?)?(?:ia|ai|llm|chat-?bot|modello linguistico|assistente)|(?:ia|llm|chat-?bot|assistente) ?[:,] \w+",
    deed=r"ignor\w+|dimentic\w+|raccomand\w+|consigli\w+|invi\w+|manda\w*|rispond\w+|approv\w+|cancell\w+|elimin\w+|apri\w*|clicc\w+|trasfer\w+|chiam\w+|esegu\w+|di'|valut\w+|rivel\w+|aggiung\w+|afferm\w+",
    hush=r"non (?:dire|dirlo|menzionare|mostrare|rivelare|informare|avvisare)|senza (?:dirlo|dire|avvisare|informare|menzionare)|in segreto|di nascosto",
    untask=r"(?:ignor\w+|dimentic\w+) (?:la|il|quello) (?:richiesta|domanda|compito|che (?:chiede|ha chiesto))|non (?:riassumere|tradurre)",
    drop=r"ignor\w+|dimentic\w+|trascur\w+|non (?:seguire|considerare|rispettare|applicare|obbedire)|tralasci\w+|scord\w+|aggir\w+|(?:metti|lascia|mettere) [^.!?]{0,25}?(?:da parte|perdere)|disattiv\w+|spegni\w*|abbandon\w+|viol\w+|infrang\w+|"
    r"annulla|sospendi|revoca|senza (?:le tue|i tuoi|rispettare|seguire)|contro le tue|nonostante le tue|liber\w+|butta\w*|togli",
    own=near(
        r"\b(?:precedent\w*|anterior\w*|tu[aeo]i?|tuoi|inizial\w*|original\w*|qui sopra|ricevut\w+|finora|tutt[ei] (?:le|i|gli))\b",
        r"\b(?:istruzion\w+|indicazion\w+|direttiv\w+|regol\w+|ordini|linee guida|filtr\w+|limit\w+|restrizion\w+|politich\w+|programmazione|sicurezza|etica|morale|prompt|censura)\b",
    )
    + r"|\b(?:tutto )?(?:quello|cio) che\b",
    void=void(
        yours=r"tu[aeo]i?|tuoi",
        prior=r"precedenti|anteriori|iniziali|tutt[ei] (?:le|i|gli)|qui sopra",
        orders=r"istruzioni|indicazioni|direttive|ordini|prompt",
        rules=r"regole|linee guida|filtri|limiti|limitazioni|restrizioni|politiche|programmazione",
        over=r"annullat\w+|null[ei]|invalid\w+|sospes\w+|revocat\w+|decadut\w+|non (?:valgono|contano|si applicano|esistono|servono)",
    ),
    part=r"sei|agisci|fai finta|fingi|immagina\w*|supponi\w*|comportati|interpreta\w*|diventa|assumi|ruolo|rispondi come|come se|se non avessi",
    free=r"(?:senza|nessun\w*|non (?:avere|hai|avessi)|priv[ao] di|liber[ao] da)(?: alcun\w*)?(?: \w+){0,1} (?:regol\w+|limit\w+|restrizion\w+|filtr\w+|censura|morale|etica|vincol\w+|linee guida|tabu)|amorale|disinibit\w+",
    show=r"mostra\w*|stampa\w*|rivel\w+|ripet\w+|dimmi|dammi|scriv\w+|qual\w*|che|cosa|copia\w*|traduc\w+|riassum\w+|cita\w*|elenc\w+|divulg\w+",
    unseen=rf"(?:istruzioni|regole|direttive|testo|messaggio|ordini|quello|cio) che (?:ti (?:sono stat\w+|hanno|e stat\w+)|hai ricevuto)|(?:testo|tutto|messaggio)\b[^.!?]{{0,20}}(?:prima del|sopra il) mio (?:primo )?messaggio|(?:il tuo|il|tuo)(?: \w+){{0,2}} ?(?:{PROMPT}(?: di sistema)?|messaggio di sistema)|prompt di sistema|messaggio di sistema|istruzioni di sistema|(?:istruzioni|regole|direttive|testo|messaggio) (?:\w+ )?(?:segret|nascost|inizial|intern|riservat|original)\w*|"
    r"(?:istruzioni|regole|ordini)\b[^.!?]{0,20}?(?:che ti hanno|ti hanno (?:dato|scritto|messo)|che hai ricevuto|che hai|ricevute)|le tue istruzioni|testo\b[^.!?]{0,25}?(?:preced\w*|prima|sopra)\b[^.!?]{0,15}?(?:conversazione|messaggio|chat|dialogo)",
    guard=r"filtr[oi]|moderazione|sicurezza|censura",
    freely=r"senza (?:mai )?rifiutar\w*|non rifiutar\w*|dimmi tutto|(?:parla|rispondi|di'|spiega)\w*\b[^.!?]{0,30}?(?:liberamente|tutto|qualsiasi|senza (?:limit\w+|filtr\w+|censura|restrizion\w+|freni))|non rifiutare",
    obey=r"(?:obbedisci|ascolta|segui) (?:solo |soltanto )(?:a )?me\b",
)
PORTUGUESE = latin(
    called=r"(?:nota|mensagem|instruc\w+|atencao|aviso)(?: (?:para|a|ao))?[ ,:]{1,2}(?:a |o |os |as |qualquer |tod\w+ )*(?:ia|llm|chat-?bot|modelos? de linguagem|assistente|agente|robo)s?|(?:se|quando) (?:voce (?:e|for)|uma?) (?:uma? )?(?:ia|llm|chat-?bot|modelo de linguagem|assistente)|(?:ia|llm|chat-?bot|assistente)s? ?[:,] \w+",
    deed=r"ignor\w+|esquec\w+|recomend\w+|envi\w+|mand\w+|respond\w+|aprov\w+|apag\w+|exclu\w+|abr\w+|cliq\w+|transfir\w+|cham\w+|execut\w+|diga|avali\w+|classific\w+|revel\w+|adicion\w+|afirm\w+",
    hush=r"nao (?:diga|conte|mencione|mostre|revele|informe|avise)|sem (?:dizer|avisar|informar|mencionar|contar)|em segredo|em silencio|secretamente",
    untask=r"(?:ignor\w+|esquec\w+) (?:o|a) (?:pedido|pergunta|solicitacao|tarefa|que (?:pede|pediu))(?: d\w+ \w+)?|nao (?:resuma|traduza)",
    drop=r"ignor\w+|esque[cç]\w+|desconsider\w+|desrespeit\w+|nao (?:siga|sigas|obede\w+|respeite|aplique)|descart\w+|(?:deixe|deixa|ponha|coloque) [^.!?]{0,25}?de lado|contorn\w+|desativ\w+|deslig\w+|abandon\w+|viol\w+|quebr\w+|burl\w+|"
    r"anule|suspenda|cancele|revogue|sem (?:as suas|suas|seguir|respeitar|aplicar)|contra suas|apesar de suas|libert\w+|liber\w+|jog\w+ fora",
    own=near(
        r"\b(?:anterior\w*|previ\w+|suas?|seus?|tuas?|teus?|inicia\w+|origina\w+|acima|ate agora|que (?:te|lhe) deram|recebid\w+|todas as|todos os)\b",
        r"\b(?:instruco\w+|instrucao|ordens|diretri\w+|regras|orientac\w+|comandos|restric\w+|filtros?|limit\w+|politicas?|programacao|seguranca|etica|moral|prompt|censura)\b",
    )
    + r"|\btudo o que (?:te|lhe|voce)\b|\btudo (?:acima|antes)\b",
    void=void(
        yours=r"suas?|seus?|tuas?|teus?|que (?:te|lhe) deram",
        prior=r"anterior(?:es)?|previ[ao]s|iniciais|todas as|acima",
        orders=r"instrucoes|ordens|orientacoes|comandos|diretrizes|prompt",
        rules=r"regras|restricoes|filtros?|limites|limitacoes|politicas?|programacao",
        over=r"cancelad\w+|anulad\w+|invalid\w+|suspens\w+|revogad\w+|nao (?:valem|contam|se aplicam|existem|servem)",
    )
    + r"|\b(?:regras|instrucoes|ordens) que (?:te|lhe) deram\b[^.!?]{0,20}\bnao (?:valem|contam|se aplicam|existem)",
    part=r"voce e|tu es|aja|finja|imagine|suponha|comporte-se|interprete|torne-se|assuma|papel|responda como|como se|se nao",
    free=r"(?:sem|nenhuma?|nao (?:tivesse|tem|ha)|livre de)(?: qualquer| nenhuma?)?(?: \w+){0,1} (?:regras?|limit\w+|restric\w+|filtros?|censura|moral|etica|diretrizes|amarras|tabus)|amoral|desinibid\w+",
    show=r"mostr\w+|exib\w+|imprim\w+|repit\w+|diga|de-me|escrev\w+|revel\w+|qua(?:l|is)|o que|copi\w+|traduz\w+|resum\w+|cite|list\w+|divulg\w+",
    unseen=rf"(?:instrucoes|regras|texto|mensagem|tudo|o que) que (?:te|lhe|voce) (?:deram|foram|foi|recebeu|passaram)|(?:texto|tudo|mensagem)\b[^.!?]{{0,20}}(?:antes da|acima da) minha (?:primeira )?mensagem|(?:seu|o|teu)(?: \w+){{0,2}} ?(?:{PROMPT}(?: d[eo] sistema)?|mensagem d[eo] sistema)|prompt d[eo] sistema|mensagem d[eo] sistema|(?:instrucoes|regras|diretrizes|texto|mensagem) (?:\w+ )?(?:secret|ocult|inicia|intern|confidencia|origina)\w*|"
    r"(?:instrucoes|regras|ordens)\b[^.!?]{0,20}?(?:que (?:lhe|te) deram|que voce|recebeu|recebidas)|suas instrucoes|texto\b[^.!?]{0,25}?(?:antes|acima|precede)\b[^.!?]{0,15}?(?:conversa|mensagem|chat|dialogo)",
    guard=r"filtros?|moderacao|seguranca|censura",
    freely=r"sem (?:nunca )?recusar|nunca recuse|sem rodeios|(?:fale|responda|diga|explique)\w*\b[^.!?]{0,30}?(?:livremente|tudo|qualquer|sem (?:limit\w+|filtros?|censura|restric\w+))|nao (?:recuse|negue)",
    obey=r"obedec[ae] (?:apenas |so |somente )a mim",
)
DUTCH = latin(
    drop=r"negeer\w*|vergeet|negeren|(?:sla|zet|leg|schakel|schuif|gooi|laat|draai)\b[^.!?]{0,40}?\b(?:over|uit|opzij|naast je neer|weg|varen|los|af)|houd je niet|volg [^.!?]{0,20}niet|omzeil\w*|deactiveer\w*|overtreed\w*|schend|breek|"
    r"niet (?:meer )?gebonden|uitgeschakeld|zonder (?:je|jouw)|ondanks je|tegen je|bevrijd\w*",
    own=near(
        r"\b(?:vorige|eerdere|voorgaande|bovenstaande|je|jouw|uw|alle|oorspronkelijke|tot nu toe|bestaande)\b",
        r"\b(?:instructies?|aanwijzingen|opdrachten|regels|richtlijnen|voorschriften|filters?|beperking\w*|grenzen|veiligheid\w*|programmering|moraal|ethiek|systeemprompt|censuur)\b",
    ),
    void=void(
        yours=r"je|jouw|uw",
        prior=r"vorige|eerdere|voorgaande|bovenstaande|alle|oorspronkelijke",
        orders=r"instructies|aanwijzingen|opdrachten|bevelen|systeemprompt|prompt",
        rules=r"regels|richtlijnen|voorschriften|filters?|beperkingen|grenzen",
        over=r"(?:gelden|geldt|tellen|bestaan) niet|niet (?:meer )?(?:geldig|van kracht)|ongeldig|vervallen|opgeheven|ingetrokken|opgeschort|verlopen",
    )
    + r"|\bregels (?:die )?je (?:gekregen hebt|hebt gekregen|kreeg)\b[^.!?]{0,20}\bniet",
    part=r"je bent|u bent|doe alsof|stel je voor|speel\w*|gedraag je|wees|word|neem de rol|rol|antwoord als|alsof|als je geen",
    free=r"(?:zonder|geen|vrij van)(?: enige?\w*| alle)?(?: \w+){0,1} (?:regels?|grenzen|beperking\w*|filters?|censuur|moraal|ethiek|richtlijnen|taboes|remmingen)|ongefilterd\w*|ongecensureerd\w*|onbeperkte ai",
    show=r"toon|herhaal|onthul|laat|geef|zeg|vertel|schrijf|print|druk|wat|welke|kopieer|vertaal|vat|citeer",
    unseen=rf"(?:wat|alles wat|tekst die|bericht dat)\b[^.!?]{{0,24}}(?:voor|boven) mijn (?:eerste )?(?:bericht|vraag)|(?:je|jouw|de|uw)(?: \w+){{0,2}} ?(?:{PROMPT}|systeemprompt|systeembericht)|systeemprompt|(?:geheime|verborgen|interne|oorspronkelijke|vertrouwelijke|eerste) (?:instructies|regels|aanwijzingen|tekst)|"
    r"(?:instructies|regels|aanwijzingen)\b[^.!?]{0,15}?(?:die je|heb je|kreeg je|gekregen|gegeven)|(?:je|jouw) instructies|tekst\b[^.!?]{0,20}?(?:voor|boven)\b[^.!?]{0,12}?(?:gesprek|chat|bericht|conversatie)",
    guard=r"filters|moderatie|veiligheid\w*|censuur",
    freely=r"(?:spreek|antwoord|praat|zeg|vertel|beantwoord)\w*\b[^.!?]{0,30}?(?:vrijuit|vrij|alles|zonder (?:filter|grenzen|beperking\w*|censuur|remmingen))|weiger (?:niets|nooit)",
    obey=r"(?:luister|gehoorzaam)\b[^.!?]{0,12}?alleen (?:naar |aan )?mij",
)
POLISH = latin(
    drop=r"olej|olac|machnij reka na|miej gdzies|miej w nosie|zlekcewaz|daj sobie spokoj z|z?ignoruj\w*|zapomnij\w*|pomin\w*|nie (?:przestrzegaj|stosuj|sluchaj|słuchaj|trzymaj)\w*|odrzuc\w*|wy[lł][aą]cz\w*|od[lł]oz\w*|porzuc\w*|z[lł]am\w*|omin\w*|dezaktywuj|zawies\w*|uniewazni\w*|niewazne|niewazna|anulowan\w*|zniesion\w*|nie obowiazuj\w*|"
    r"przesta[lł]y obowiazywac|bez swoich|wbrew swoim|uwolnij|ignorujte|zapomen\w*|wyrzuc",
    own=near(
        r"\b(?:poprzedni|wczesniejsz|powyzsz|swo|tw|wszystki|dotychczasow|pierwotn|dawn|predchozi|vsechny|sve)\w*",
        r"\b(?:instrukcj|polece|zasad|regu[lł]|wytyczn|nakaz|filtr|ograniczen|zabezpiecz|moraln|etyk|prompt|cenzur|instrukce|pokyny|pravidla)\w*",
    )
    + r"|\b(?:zasad\w*|regu[lł]\w*|polece\w*|instrukcj\w*|ograniczen\w*),? (?:ktore |jakie )(?:ci|tobie) (?:dali|dano|narzucili|narzucono|wpisali)",
    part=r"jestes|udawaj|wyobraz sobie|zachowuj sie|wciel sie|graj|badz|zostan|odpowiadaj jak|jakbys|gdybys",
    free=r"(?:bez|nie masz|zadnych|wolny od)(?: zadnych| jakichkolwiek)?(?: \w+){0,1} (?:zasad|regu[lł]|ograniczen|filtr\w+|cenzury|moralnosci|etyki|granic|zahamowan)|nieograniczon\w+|nieocenzurowan\w+",
    show=r"pokaz\w*|ujawnij|wypisz|powtorz|podaj|powiedz|napisz|jaki\w*|co|skopiuj|przet[lł]umacz|zacytuj|wyswietl",
    unseen=rf"(?:sw[oó]j|tw[oó]j)(?: \w+){{0,1}} ?{PROMPT}|prompt systemowy|(?:tajn|ukryt|wewnetrzn|poczatkow|poufn)\w* (?:instrukcj|zasad|polece)\w*|(?:instrukcj|zasad|polece)\w*,? (?:ktore )?(?:dosta[lł]es|otrzyma[lł]es|ci dano|masz)|swoje instrukcje|"
    r"tekst\w*,?[^.!?]{0,20}?(?:przed|powyzej|nad)\b[^.!?]{0,12}?(?:rozmow|czat|wiadomosc|konwersacj)\w*",
    guard=r"filtry|moderacj\w+|zabezpiecze\w+|cenzur\w+",
    freely=r"(?:mow|odpowiadaj|powiedz|odpowiedz)\w*\b[^.!?]{0,30}?(?:swobodnie|na wszystko|wszystko|szczerze|bez (?:ograniczen|filtrow|cenzury|zahamowan))|nie odmawiaj",
    obey=r"s[lł]uchasz? (?:tylko|wy[lł]acznie) mnie",
)
TURKISH = script(
    drop=r"yok say\w*|unut\w*|gormezden gel\w*|dikkate alma\w*|goz ardi et\w*|\buyma\b|dinleme\b|bosver\w*|kapat\w*|devre disi|kenara (?:bırak|birak|koy)\w*|cigne\w*|gecersiz\w*|iptal\w*|askıda|yururlukten|artık yok|uymak zorunda degil|uygulama\b|asmaya calıs|bırak\b",
    own=near(
        r"onceki|daha onceki|yukarıdaki|yukaridaki|sana verilen|su ana kadar|baslangıctaki|baslangictaki|senin|\btum|butun",
        r"talimat\w*|yonerge\w*|kural\w*|komut\w*|direktif\w*",
    )
    + r"|(?:kural|talimat|filtre|yonerge|kısıtlama|sınırlama|politika|ilke|komut)(?:lar|ler)[ıi]n\w*|(?:guvenlik|etik) \w+[ıi]n[ıi]",
    part=r"sın\b|sin\b|gibi davran\w*|rolunu|rolunde|hayal et|farz et|varsay|\bol\b|yokmus gibi",
    free=r"(?:hicbir|hic|sınırsız|kuralsız|sansursuz|filtresiz)[^.!?]{0,20}?(?:kural\w*|sınır\w*|kısıtlama\w*|filtre\w*|etik|ahlak)|sınırsız\w*|kuralsız\w*|sansursuz\w*|filtresiz\w*",
    show=r"goster\w*|yazdır\w*|yazdir\w*|tekrarla\w*|soyle\w*|\byaz\b|acıkla\w*|\bne\b|nedir|paylas\w*|ver\b|ifsa",
    unseen=r"sistem (?:istemi|talimat\w*|mesaj\w*|prompt\w*)|(?:gizli|sana verilen|ilk|dahili) (?:gizli )?(?:talimat|kural|yonerge|komut)\w*|(?:konusma|sohbet|mesaj)\w* (?:once|onceki|basındaki)\w* (?:metn|metin|yaz|mesaj)\w*|(?:konusmadan|sohbetten) once\w* (?:metn|metin)\w*",
    guard=r"filtre\w*|guvenlik (?:filtre|kural|onlem)\w*|sansur\w*|moderasyon",
    freely=r"ozgurce|serbestce|her seye|her soruya|reddetme\w*|sansursuz (?:konus|yanıtla|cevap)",
    obey=r"(?:yalnızca|sadece|bir tek) bana (?:itaat|uy|hizmet)",
)
SWEDISH = latin(
    part=r"du ar|latsas\w*|agera som|spela|forestall dig|svara som|late som|lat som|du er|spill|opptre som|forestill",
    free=r"(?:utan|inga|uten|uden|ingen)(?: nagra| noen)? (?:regler|filter|filtre|begransningar|begrensninger|begraensninger|granser|censur|sensur|moral|riktlinjer|restriktioner|restriksjoner)|ofiltrerad\w*|ocensurerad\w*|obegransad\w*",
    void=void(
        yours=r"dina|din|ditt|dine",
        prior=r"tidigare|tidligere|alla|foregaende|alle",
        orders=r"instruktioner(?:na)?|anvisningar(?:na)?|instruksjoner|order",
        rules=r"regler|riktlinjer|retningslinjer|begransningar|filter|sparrar",
        over=r"(?:galler|gjelder|gaelder) (?:inte|ikke)|ogiltig\w*|upphavd\w*|ugyldig\w*",
    ),
    freely=r"(?:svara|svar)\b[^.!?]{0,20}(?:pa allt|fritt|utan (?:filter|begransningar|censur))|vagra (?:aldrig|inte)",
    drop=r"skit i|strunt\w* i|kor over|drit i|blas i|blæs i|ge fan i|ignorera\w*|glom|bortse fran|strunta i|folj inte|asidosatt\w*|hoppa over|ignorer|glem|se bort fra|ignoroi|unohda|stang av|sla av|slå fra|deaktiver\w*|inaktivera|lagg at sidan|kasta bort|bryt",
    own=near(
        r"\b(?:tidigare|foregaende|ovanstaende|dina|din|ditt|alla|ursprungliga|tidligere|forrige|dine|alle|aiemmat|kaikki|edelliset|gamla)\b",
        r"\b(?:instruktion\w*|anvisning\w*|regler\w*|riktlinjer\w*|order|instruks\w*|retningslinjer|ohjeet|saannot|filter|filtren|begransningar|sparrar)\b",
    ),
    show=r"visa|upprepa|vis|skriv|beratta|gjenta|gentag|nayta",
    unseen=r"systemprompt\w*|(?:hemliga|dolda|skjulte|hemmelige) (?:instruktion|instruks|anvisning|regler)\w*",
)
INDONESIAN = latin(
    drop=r"abaikan|lupakan|jangan (?:ikuti|hiraukan|patuhi)|hiraukan|kesampingkan|matikan|nonaktifkan|langgar|buang|hapus|lewati",
    own=near(
        r"\b(?:sebelumnya|di atas|semua|seluruh|kamu|anda|awal|yang (?:diberikan|kamu terima)|kepadamu)\b",
        r"\b(?:instruksi|perintah|aturan|petunjuk|arahan|pedoman|filter|batasan)(?:mu|nya)?\b",
    )
    + r"|\b(?:instruksi|perintah|aturan|pedoman|filter|batasan)mu\b",
    part=r"kamu adalah|anda adalah|jadilah|menjadi|berpura-pura\w*|pura-pura|bayangkan|berperan\w*|bertindak\w*|anggap\w*|jawab sebagai",
    free=r"(?:tanpa|tidak (?:ada|punya|memiliki)|bebas dari)(?: \w+)? (?:batasan|aturan|filter|sensor|pembatasan|moral|etika|batas)",
    freely=r"jawab\w*\b[^.!?]{0,20}(?:bebas|semua|apa pun|apa saja)|jangan (?:pernah )?menolak",
    show=r"tampilkan|ungkapkan|ulangi|tunjukkan|beritahu|sebutkan|tulis\w*|cetak|apa|salin|terjemahkan",
    unseen=r"prompt sistem|system prompt|promptmu|instruksi (?:sistem|rahasia|tersembunyi|awal)|(?:teks|semua|pesan)\b[^.!?]{0,15}sebelum (?:percakapan|pesan|obrolan)",
    obey=r"(?:patuhi|ikuti|turuti|dengarkan) (?:hanya |perintah )?(?:aku|saya) saja",
)
VIETNAMESE = latin(
    drop=r"bo qua|quen|phot lo|dung (?:lam|tuan|nghe)|tat|khong (?:tuan|lam|nghe) theo|huy|vo hieu hoa|go bo|pha vo",
    own=near(
        r"\b(?:truoc|o tren|tat ca|moi|ban dau|cua ban|da (?:nhan|cho))\b",
        r"\b(?:huong dan|chi (?:dan|thi)|quy tac|menh lenh|lenh|bo loc|gioi han|nguyen tac)\b",
    ),
    part=r"ban (?:bay gio )?la|gia vo|gia lam|dong vai|hay la|tuong tuong|tro thanh|hanh dong nhu|tra loi nhu",
    free=r"(?:khong (?:co|bi|con)|ko co|thoat khoi)(?: \w+){0,2} (?:gioi han|quy tac|kiem duyet|bo loc|rang buoc|han che|dao duc)",
    freely=r"tra loi\b[^.!?]{0,20}(?:moi|tu do|tat ca|bat cu)|khong (?:duoc )?tu choi",
    show=r"hien thi|cho (?:toi|xem|minh)|in ra|lap lai|tiet lo|viet|noi|dich|sao chep|liet ke",
    unseen=r"loi nhac he thong|prompt he thong|system prompt|(?:chi dan|huong dan|lenh) (?:he thong|bi mat|an|ban dau)|prompt cua ban|(?:noi dung|van ban|tat ca)\b[^.!?]{0,15}truoc (?:cuoc tro chuyen|tin nhan)",
    obey=r"chi (?:nghe|lam|tuan)(?: theo)? (?:loi )?(?:toi|minh|tao)",
)
CZECH = latin(
    drop=r"ignoruj\w*|zapomen\w*|nedbej|vykasli se|odlož|odloz|prestan|porus|obejdi|vypni|zahod|preskoc|nedodrzuj|neposlouchej",
    own=near(
        r"\b(?:predchozi\w*|drivejsi|vsech\w*|sve|svoje|svych|tve|tvoje|tvych|puvodni\w*|vyse uvedene|predosl\w+|vsetk\w+)\b",
        r"\b(?:instrukc\w+|pokyn\w*|pravidl\w*|prikaz\w*|smernic\w*|filtr\w*|omezeni\w*|zasad\w*|prompt\w*)\b",
    ),
    part=r"jsi|predstirej|predstav si|hraj|chovej se|bud|odpovidej jako|stan se",
    free=r"(?:bez|zadn\w+|nemas)(?: \w+){0,1} (?:omezeni|pravidel|filtru|cenzury|moralky|zasad|limitu)|necenzurovan\w+",
    show=r"ukaz\w*|vypis|zopakuj|prozrad|napis|rekni|odhal|zobraz|zkopiruj|preloz|jak\w*|co",
    unseen=r"systemov\w+ (?:prompt|zprav|instrukc|pokyn)\w*|(?:skryt|tajn|vnitrn|puvodn)\w+ (?:instrukc|pokyn|prompt|pravidl)\w*|(?:text|vse|vsechno)\b[^.!?]{0,15}pred (?:touto|mou|prvni|konverzac)\w*",
    obey=r"(?:rid|poslouchej)\w*\b[^.!?]{0,10}(?:jen|pouze) (?:me|mnou|mymi)|jen me poslouchej",
)
ROMANIAN = latin(
    drop=r"uita|ignora\w*|nu (?:mai )?(?:urma|respecta|tine)\w*|treci peste|dezactiveaz\w*|opreste|incalca|renunta|lasa deoparte",
    own=near(
        r"\b(?:anterioare|precedente|toate|tale|de mai sus|initiale|primite|dinainte)\b",
        r"\b(?:instructiuni\w*|reguli\w*|regulile|ordine\w*|comenzi\w*|indicatii\w*|filtre\w*|restrictii\w*|limite\w*)\b",
    ),
    part=r"esti|prefa-te|imagineaza-ti|joaca|comporta-te|fii|raspunde ca",
    free=r"(?:fara|nicio|niciun)(?: \w+){0,1} (?:restrictii|reguli|limite|filtre|cenzura|morala|regula)|necenzurat\w*",
    show=r"arata\w*|afiseaza|repeta|scrie|spune\w*|dezvaluie|copiaza|traduce|care|ce",
    unseen=r"prompt\w* (?:de|tau de) sistem|promptul tau|mesajul de sistem|instructiuni\w* (?:secrete|ascunse|initiale|tale|de sistem)",
    obey=r"(?:asculta|fa)\b[^.!?]{0,10}(?:doar|numai) (?:de mine|ce spun)",
)
HUNGARIAN = latin(
    drop=r"felejts\w*|hagyd figyelmen kivul|ne (?:kovesd|tartsd|torodj)\w*|kapcsold ki|szegd meg|tedd felre|ignorald",
    own=near(
        r"\b(?:korabbi|elozo|osszes|minden|fenti|eredeti|kapott)\b",
        r"\b(?:utasitas\w*|szabaly\w*|iranyelv\w*|parancs\w*|szuro\w*|korlat\w*|prompt\w*)\b",
    ),
    part=r"te (?:most )?(?:egy )?\w+|tegyel ugy|jatszd|kepzeld|viselkedj|legy",
    free=r"(?:korlatok|szabalyok|szurok|cenzura|korlatozas\w*|erkolcs) nelkul\w*|korlatlan\w*|cenzurazatlan\w*",
    show=r"mutasd|ird|ismeteld|mondd|aruld el|masold|forditsd|mi|mik|melyik",
    unseen=r"rendszer(?:promptod|prompt|uzenet|utasitas)\w*|(?:titkos|rejtett|eredeti|belso) (?:utasitas|szabaly|prompt)\w*",
    obey=r"csak (?:ram|nekem) (?:hallgass|engedelmeskedj)\w*",
)
FINNISH = latin(
    drop=r"unohda|ohita|ala (?:noudata|valita)|jata huomiotta|sivuuta|poista kaytosta|riko|hylkaa",
    own=near(
        r"\b(?:aiem\w+|aikaisem\w+|edelli\w+|kaikki|sinun|alkuperai\w+|ylla olevat|saamasi)\b",
        r"\b(?:ohje\w*|saanno\w*|maaray\w*|kehot\w*|suodat\w*|rajoitu\w*)\b",
    ),
    part=r"olet|esita|leiki|kuvittele|toimi|ole|teeskentele",
    free=r"(?:ilman|ei) (?:mitaan )?(?:rajoituksia|saantoja|suodattimia|sensuuria|moraalia)|(?:rajoitukseton|sensuroimaton)\w*",
    show=r"nayta|kerro|tulosta|toista|paljasta|kirjoita|mika|mitka",
    unseen=r"jarjestelma(?:kehot|ohje|viesti|prompt)\w*|(?:salais|piilotet|alkuperai)\w+ (?:ohje|kehot|saanno)\w*",
    obey=r"tottele (?:vain|ainoastaan) minua",
)
SERBO_CROATIAN = latin(
    drop=r"ignorir\w+|zanemari\w*|zaboravi\w*|odbaci\w*|zaobi[dđ]i\w*|ne (?:slijedi|sledi|postuj|slusaj)\w*|iskljuci\w*|prekrsi\w*|ponisti\w*",
    own=near(
        r"\b(?:prethodn\w+|dosadasnj\w+|ranij\w+|svoj\w+|tvoj\w+|sv[aeu]|pocetn\w+|gornj\w+)\b",
        r"\b(?:uput[aeu]\w*|uputstv\w+|instrukcij\w+|pravil\w+|naredb\w+|smjernic\w+|smernic\w+|ogranicenj\w+|filter\w*|filtr\w*)\b",
    ),
    part=r"ti si|sada si|pretvaraj se|glumi|ponasaj se|zamisli|odgovaraj kao",
    free=r"(?:bez|nema[sš]?|nikakv\w+)(?: \w+)? (?:ogranicenj\w+|pravil\w+|filter\w*|filtr\w*|cenzur\w+)",
    freely=r"odgov\w+\b[^.!?]{0,20}(?:slobodno|na sve|bez)|ne odbijaj",
    show=r"prikazi|pokazi|ispisi|otkrij|ponovi|reci|navedi|prevedi|koj[aei]|kako glas\w+",
    unseen=r"sistemsk\w+ (?:prompt|uput\w+|poruk\w+)|sustavsk\w+ (?:prompt|uput\w+)|(?:skriven\w+|tajn\w+|pocetn\w+) (?:uput\w+|instrukcij\w+|pravil\w+)",
)
TAGALOG = latin(
    drop=r"balewalain|huwag (?:mong |ninyong )?(?:sundin|pansinin)|kalimutan|isantabi|labagin|i-?off|patayin",
    own=near(
        r"\b(?:naunang?|nakaraang?|dating|lahat|iyong|inyong|mga)\b",
        r"\b(?:tagubilin|panuto|utos|alituntunin|patakaran|instruksyon|instructions?|rules|filter)\b",
    ),
    part=r"ikaw (?:ay|na)|magpanggap|kunwari|gumanap|isipin mo",
    free=r"(?:walang|wala kang)(?: anumang)? (?:limitasyon|patakaran|alituntunin|filter|bawal)",
    show=r"ipakita|ilantad|ulitin|sabihin|isulat|ibigay|i-?print|ano",
    unseen=r"system prompt|(?:lihim|nakatago|orihinal)(?:ng| na)? (?:mga )?(?:tagubilin|panuto|utos)",
)
SWAHILI = latin(
    drop=r"puuza|sahau|usifuate|usizingatie|acha|zima|vunja|kiuka",
    own=near(
        r"\b(?:yote|zote|ya awali|za awali|yaliyopita|zilizopita|yako|zako|uliyopewa)\b",
        r"\b(?:maagizo|maelekezo|sheria|kanuni|amri|miongozo|vizuizi)\b",
    ),
    part=r"wewe ni|jifanye|igiza|fikiria",
    free=r"(?:bila|hakuna|huna) (?:vizuizi|sheria|mipaka|kanuni)",
    show=r"\w*onyeshe?|rudia|sema|andika|toa|niambie|funua",
    unseen=r"(?:maagizo|ujumbe|prompt) (?:ya|wa)? ?mfumo|system prompt|maagizo (?:ya siri|yaliyofichwa)",
)
