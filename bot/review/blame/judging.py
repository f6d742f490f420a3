"""Judging: words that are a verdict on people or their work."""

from collections.abc import Sequence

from bot.review.blame.excuses import a_term, beside, denied, followed_by, preceded_by
from bot.review.blame.reading import Rule, Wording, rule

STRONG = (
    r"careless(?:ly|ness)?|slopp(?:y|ily|iness)|negligent(?:ly)?|negligence|reckless(?:ly|ness)?|irresponsib(?:ly|le"
    r"|ility)"
    r"|incompeten(?:t|tly|ce)|stupid(?:ly|ity)?|idiot(?:s|ic|ically)?|ridiculous(?:ly)?|unacceptabl[ey]"
    r"|inexcusabl[ey]|unforgivabl[ey]"
    r"|unprofessional(?:ly|ism)?|blatant(?:ly)?|embarrassing(?:ly)?|embarrassment|amateur(?:ish|ishly|s)?"
    r"|half-?baked|half-?assed|half-?hearted(?:ly)?"
    r"|shodd(?:y|ily)|mismanag(?:ed|ement|ing)|thoughtless(?:ly|ness)?|mindless(?:ly)?|brainless|clueless"
    r"|foolish(?:ly|ness)?|silly|laughabl[ey]"
    r"|pathetic(?:ally)?|lousy|disgrace(?:ful)?|shameful(?:ly)?|outrageous(?:ly)?|absurd(?:ly)?|appalling(?:ly)?"
    r"|abysmal(?:ly)?|atrocious"
    r"|moron(?:s|ic)?|inept(?:ly|itude)?|arrogan(?:t|ce|tly)|cowboys?|botched|bungl(?:ed|ing)|slacking|dumb|nonsense"
    r"|rubbish|crappy|crap|bullshit"
    r"|insan(?:e|ely|ity)|madness|ill-?prepared|ill-?advised|lackadaisical|haphazard(?:ly)?|slapdash|inexplicabl[ey]"
    r"|hopeless(?:ly)?|terribl[ey]"
    r"|horribl[ey]|awful(?:ly)?|dreadful(?:ly)?|woeful(?:ly)?|disastrous(?:ly)?|(?-i:lax)|facepalm|complacen(?:t|cy)"
    r"|boneheaded|senseless|lame"
    r"|overconfiden(?:t|ce)|indefensible|shambl(?:es|olic)|unbelievabl[ey]"
)
WORK = (
    r"(?:test(?:ed|ing)?|communicat(?:ed|ion|ing)|plan(?:ned|ning)|manag(?:ed|ement)|handled|design(?:ed)?"
    r"|writ(?:ten|ing)"
    r"|execut(?:ed|ion)|prepar(?:ed|ation)|decisions?|judge?ments?|choices?|coordinat(?:ed|ion)|thought(?: out"
    r"| through)?|review(?:ed|s)?"
    r"|organi[sz]ed|trained|leadership|work|job|behaviou?r|attitude|maintained|documented|run|supervis(?:ed|ion)"
    r"|oversight)"
)
VIRTUES = (
    r"(?:common sense|professionalism|accountability|competence|respect|effort|thought|foresight|rigou?r|judge?ment"
    r"|interest|ownership|responsibility)"
)
JUDGING: Sequence[Rule] = (
    rule(
        Wording.judging,
        rf"\b(?:{STRONG})\b",
        denied,
        a_term,
        followed_by(
            r"[- ](?:clients?|terminals?|pipes?|proxy|boy|counter|init|parallel|phrase|quorum|hinted|match\w*"
            r"|back-?off|slop|hashing|mode)\b"
        ),
    ),
    rule(
        Wording.judging,
        r"\b(?:lazy|lazily|laziness)\b",
        denied,
        followed_by(
            r"[- ]?(?:load|init|eval|import|migrat|fetch|connect|creat|comput|bind|field|refresh|open|cache|start"
            r"|reconnect|free|delet"
            r"|expir|restor|sync|mount|pull|replicat|quer|attribut|singleton|proxy|compil|resol|writ|read|instantiat"
            r"|propert|consum|iterat)"
        ),
        preceded_by(
            r"\b(?:is|are|was|were|made|loaded|created|evaluated|initiali[sz]ed|opened|computed|resolved|connects?"
            r"|opens?|loads?)(?: \w+)? (?=lazily)"
        ),
        beside(r"\b(?:umount|unmount|iterator|hibernate|orm|singleton|evaluation|loading)\b"),
    ),
    rule(
        Wording.judging,
        r"\b(?:obvious|obviously)\b",
        denied,
        preceded_by(
            r"\b(?:more|most|less|make|makes|made|making|become|becomes|became|becoming|look|looked|looks|seem"
            r"|seemed) (?:[\w-]+ ){0,4}"
        ),
        lambda sentence, _: sentence.is_question,
    ),
    rule(Wording.judging, r"!{3,}|!\?|\?!"),
    rule(
        Wording.judging,
        rf"\b(?:lack(?:ed|s|ing)? (?:of )?|zero |insufficient |inadequate |absence of |total lack of )(?:\w+ (?:and"
        rf"|or) |\w+ )?{VIRTUES}\b",
        followed_by(r" (?:map|matrix|list|file|field|rates?)\b"),
    ),
    rule(
        Wording.judging,
        rf"\b(?:insufficient|inadequate|inadequately|insufficiently|poor|poorly|badly|terrible|lousy) {WORK}\b",
        denied,
    ),
    rule(
        Wording.judging,
        r"\b(?:bad|terrible|awful|poor|horrible|questionable|stupid|dubious|crazy|rash|hasty|wrong) (?:decisions?"
        r"|judge?ments?|ideas?|choices?|attitude|behaviou?r|job|habits?|practices?)\b"
        r"|\b(?:a|the) (?:bad|wrong|poor|terrible) call\b",
        denied,
        lambda sentence, _: sentence.is_question,
    ),
    rule(
        Wording.judging,
        r"\b(?:rookie|beginner'?s?|basic|elementary|silly|schoolboy|classic|dumb|huge|big|costly|serious|grave"
        r"|unnecessary|avoidable|terrible|simple|needless|bad|major) (?:mistakes?|blunders?)\b"
        r"|\b(?:rookie|beginner'?s?|elementary|silly|schoolboy|stupid) errors?\b",
        denied,
    ),
    rule(
        Wording.judging,
        r"\b(?:was|is|were|are|such|what|been|it's|that's|like) (?:an? |(?:\w+ly )|complete |total |utter |absolute "
        r"|pure ){0,3}(?:disaster|mess|joke|shambles|farce|train ?wreck|nightmare|fiasco|circus|clown show|garbage"
        r"|trash|useless|hopeless|naive|chaos)\b",
        denied,
        followed_by(r"[- ](?:recovery|collect\w*|plan|site|monkey|engineering|mesh|datetimes?|implementation|bayes)\b"),
    ),
    rule(
        Wording.judging,
        r"\b(?:no excuse|any competent|common sense|know(?:n)? better|knew better|asleep at the wheel|(?:drop|drops"
        r"|dropped|dropping) the ball|cut(?:s|ting)? corners"
        r"|(?:couldn't|could not) be bothered|couldn't care less|nobody (?:cared|could be bothered)|what (?:were"
        r"|was) (?:they|you|we|he|she|\ue100+) thinking"
        r"|screwed up|messed up|fucked up|screw-?ups?|should be ashamed|not acceptable|beyond me|beggars belief"
        r"|can't believe|cannot believe|amateur hour"
        r"|nobody in their right mind|in their right mind|(?:grossly|totally|wholly|completely"
        r"|utterly) (?:insufficient|inadequate|unprepared|wrong|irresponsible)"
        r"|(?:painfully|shockingly|incredibly|embarrassingly) (?:slow|bad|late|poor|weak|long)|(?:way|far"
        r"|much) too (?:slow|slowly|late|long) to (?:react|respond|answer|act|notice|tell|escalate|decide)"
        r"|blindly (?:trust|follow|copy|copied|copying|deploy|merg|push|accept|approv|restart|ran|run)\w*|(?:badly"
        r"|poorly) (?:written|built|made|designed))\b",
        preceded_by(r"\b(?:so|nobody|we|no one) (?=can't believe we got)"),
    ),
    rule(
        Wording.judging,
        r"\b(?:needless(?:ly)?|inexcusably|wilfully|willfully|wantonly)\b",
        denied,
        followed_by(r" to say"),
    ),
)
