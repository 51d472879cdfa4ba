"""Words that are too common to be searched by: articles, pronouns, prepositions, conjunctions, auxiliaries.

Short lists of closed classes, in the form that words() gives: folded, and without apostrophes. A word with a meaning of
its own is not here, however common it is: "may" is a month, French "été" the summer.
Languages without a list leave nothing out.
"""

from __future__ import annotations

__all__ = ["STOP_WORDS"]

_ENGLISH = """
a an the this that these those
i me my mine myself you your yours yourself yourselves he him his himself she her hers herself it its itself
we us our ours ourselves they them their theirs themselves who whom whose which what
and or but nor if than because while as so that though although until unless
at by for from in into of off on onto out over to under up with without about against between through during upon
am is are was were be been being have has had having do does did doing will would shall should can could might must
not no dont doesnt didnt isnt arent wasnt werent hasnt havent hadnt wont wouldnt shouldnt cant cannot couldnt mustnt
then there here when where how
"""

_GERMAN = """
der die das den dem des ein eine einen einem einer eines kein keine keinen keinem keiner keines
ich mich mir mein meine meinen meinem meiner meines du dich dir dein deine deinen deinem deiner deines
er ihn ihm sein seine seinen seinem seiner seines sie ihr ihnen ihre ihren ihrem ihrer ihres es wir uns unser unsere
unseren unserem unserer euch euer eure euren eurem eurer sich man dieser diese dieses diesen diesem jener jene jenes
wer wen wem was welcher welche welches welchen welchem
und oder aber denn sondern dass weil wenn als ob wie während obwohl damit
an am ans auf aus bei beim bis durch für gegen hinter in im ins mit nach neben ohne seit über um unter von vom vor zu
zum zur zwischen
bin bist ist sind seid war warst waren gewesen habe hast hat haben habt hatte hatten werde wirst wird werden wurde
wurden worden kann kannst können konnte konnten
muss musst müssen musste mussten soll sollen sollte sollten will wollen wollte
wollten darf dürfen durfte
nicht auch nur noch schon so da dann hier dort
"""

_FRENCH = """
le la les l un une des du de d au aux ce cet cette ces c
je j me m moi tu te t toi il elle on se s soi lui nous vous ils elles leur leurs eux y en
mon ma mes ton ta tes son sa ses notre nos votre vos
qui que qu quoi dont où quel quelle quels quelles lequel laquelle lesquels lesquelles
et ou mais donc ni car si comme quand lorsque lorsqu puisque puisqu parce jusqu
à dans par pour sur sous avec sans chez entre vers contre depuis pendant
suis es est sommes êtes sont étais était étions étiez étaient être serai sera serait seront
ai as a avons avez ont avais avait avions aviez avaient eu avoir aura aurait auront
ne n pas plus
"""

_SPANISH = """
el la lo los las un una unos unas al del
yo me mí mi mis tú te ti tu tus él le les se sí su sus ella ellas ellos usted ustedes nosotros nosotras nos nuestro
nuestra nuestros nuestras vosotros vosotras os vuestro vuestra vuestros vuestras
este esta esto estos estas ese esa eso esos esas aquel aquella aquello aquellos aquellas
que qué quien quién quienes cual cuál cuales cuyo cuya
y e o u pero sino ni si como cómo cuando cuándo donde dónde porque aunque mientras
a ante bajo con contra de desde durante en entre hacia hasta para por según sin sobre tras
soy eres es somos sois son era eras éramos eran fui fue fueron ser sido sea estoy está están estaba estaban estar
he has ha hemos habéis han había habían haber hay
no ya
"""

_ITALIAN = """
il lo la l i gli le un uno una
al allo alla all ai agli alle del dello della dell dei degli delle dal dallo dalla dall dai dagli dalle
nel nello nella nell nei negli nelle sul sullo sulla sull sui sugli sulle col coll coi
io mi me tu ti te egli lui ella lei esso essa noi ci ce voi vi ve essi esse loro si sé se ne c m t s d
mio mia miei mie tuo tua tuoi tue suo sua suoi sue nostro nostra nostri nostre vostro vostra vostri vostre
questo questa questi queste quello quella quelli quelle quell quel quei quegli quest
che chi cui quale quali
e ed o ma né anche come quando dove perché mentre
a ad di da in con su per tra fra senza
sono sei è siamo siete ero eri era eravamo eravate erano fu furono essere sia
ho hai ha abbiamo avete hanno avevo aveva avevano avere avuto
non
"""

_PORTUGUESE = """
o a os as um uma uns umas
ao aos à às do da dos das no na nos nas num numa pelo pela pelos pelas
eu me mim tu te ti ele ela se si lhe lhes nós vos vós eles elas você vocês
meu minha meus minhas teu tua teus tuas seu sua seus suas nosso nossa nossos nossas vosso vossa dele dela deles delas
este esta isto estes estas esse essa isso esses essas aquele aquela aquilo aqueles aquelas
que quem qual quais cujo cuja
e ou mas nem como quando onde porque embora enquanto
ante até com contra de desde em entre para perante por sem sob sobre
sou és é somos são era eras éramos eram fui foi foram ser sido seja estou está estão estava estavam estar
tenho tem temos têm tinha tinham ter tido hei há havia haver
não já
"""

_DUTCH = """
de het een t n s der des den
ik me mij mijn jij je jou jouw u uw hij hem zijn zij ze haar het wij we ons onze jullie hen hun zich
dit dat deze die wie wat welk welke men
en of maar want dus noch als dan omdat terwijl hoewel toen wanneer hoe waar
aan achter bij binnen buiten door in langs met na naar naast om onder op over per sinds te ten ter tegen tot tussen uit
van voor zonder
ben bent is was waren geweest heb hebt heeft hebben had hadden gehad word wordt worden werd werden geworden
kan kunt kunnen kon konden zal zult zullen zou zouden moet moeten moest moesten mag mogen mocht
niet geen er ook nog al
"""

_DANISH = """
en et den det de
jeg mig min mit mine du dig din dit dine han ham hans hun hende hendes vi os vor vort vore vores i jer jeres dem deres
sig sin sit sine man denne dette disse
hvem hvad hvis hvilken hvilket hvilke som der
og eller men så at fordi når da mens om hvordan hvor
af ad efter for fra før i imellem inden med mellem mod over på til under ved uden
er var været være har havde haft have bliver blev blevet blive kan kunne skal skulle vil ville må måtte
ikke ej her nu også
"""

_NORWEGIAN = """
en ei et den det de
jeg eg meg min mi mitt mine du deg din di ditt dine han ham hans hun ho henne hennes vi oss vår vårt våre dere deres dem
seg sin si sitt sine man denne dette disse
hvem hva hvis hvilken hvilket hvilke kva kven som der
og eller men så at å fordi når da mens om hvordan hvor
av etter for fra før i innen med mellom mot over på til under ved uten
er var vært være har hadde hatt ha blir ble blitt bli kan kunne skal skulle vil ville må måtte
ikke ikkje her nå også
"""

_SWEDISH = """
en ett den det de
jag mig min mitt mina du dig din ditt dina han honom hans hon henne hennes vi oss vår vårt våra ni er ert era dem deras
sig sin sitt sina man denna detta dessa
vem vad vars vilken vilket vilka som
och eller men så att eftersom när då medan om hur där
av efter för från före i innan med mellan mot över på till under vid utan åt
är var varit vara har hade haft ha blir blev blivit bli kan kunde ska skall skulle vill ville må måste
inte ej här nu också
"""

STOP_WORDS: dict[str, frozenset[str]] = {
    "danish": frozenset(_DANISH.split()),
    "dutch": frozenset(_DUTCH.split()),
    "english": frozenset(_ENGLISH.split()),
    "french": frozenset(_FRENCH.split()),
    "german": frozenset(_GERMAN.split()),
    "italian": frozenset(_ITALIAN.split()),
    "norwegian": frozenset(_NORWEGIAN.split()),
    "portuguese": frozenset(_PORTUGUESE.split()),
    "spanish": frozenset(_SPANISH.split()),
    "swedish": frozenset(_SWEDISH.split()),
}
"""By the language's name; a word as words() gives it."""
