import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbtui.core.task import LANGUAGES
from cbtui.text.sentences import split_sentences

SENTENCES = {
    "ar": ["ذهبت إلى السوق أمس.", "كيف حالك اليوم؟", "أنا بخير!"],
    "da": ["Jeg gik en tur i skoven.", "Hvordan har du det?", "Det er dejligt!"],
    "de": ["Ich ging gestern in den Wald.", "Wie geht es dir?", "Das ist schön!"],
    "el": ["Πήγα χθες στην αγορά.", "Τι κάνεις;", "Είμαι καλά!"],
    "en": ["I walked into the woods.", "How are you?", "That is lovely!"],
    "es": ["Ayer fui al bosque.", "¿Cómo estás?", "¡Qué bonito!"],
    "fi": ["Kävelin eilen metsään.", "Mitä kuuluu?", "Se on ihanaa!"],
    "fr": ["Je suis allé au bois.", "Comment vas-tu ?", "C'est joli !"],
    "he": ["הלכתי אתמול ליער.", "מה שלומך?", "זה נהדר!"],
    "hi": ["मैं कल जंगल गया।", "आप कैसे हैं?", "बहुत अच्छा!"],
    "it": ["Ieri sono andato nel bosco.", "Come stai?", "Che bello!"],
    "ja": ["昨日、森へ行きました。", "お元気ですか？", "すばらしい！"],
    "ko": ["어제 숲에 갔습니다.", "잘 지내세요?", "정말 좋아요!"],
    "ms": ["Semalam saya pergi ke hutan.", "Apa khabar?", "Cantik sekali!"],
    "nl": ["Gisteren liep ik het bos in.", "Hoe gaat het?", "Dat is mooi!"],
    "no": ["Jeg gikk en tur i skogen.", "Hvordan har du det?", "Det er nydelig!"],
    "pl": ["Wczoraj poszedłem do lasu.", "Jak się masz?", "To jest piękne!"],
    "pt": ["Ontem fui à floresta.", "Como vai você?", "Que bonito!"],
    "ru": ["Вчера я пошёл в лес.", "Как дела?", "Это прекрасно!"],
    "sv": ["Jag gick till skogen i går.", "Hur mår du?", "Det är fint!"],
    "sw": ["Jana nilienda msituni.", "Habari yako?", "Nzuri sana!"],
    "tr": ["Dün ormana gittim.", "Nasılsın?", "Çok güzel!"],
    "zh": ["我昨天去了森林。", "你好吗？", "太美了！"],
}

# Each is one sentence, although a period stands inside it.
ONE_SENTENCE = [
    ("da", "Han så f.eks. Anna og bl.a. Peter."),
    ("de", "Dort war z. B. Anna, d. h. Müller."),
    ("de", "Am 3. mai kam Frl. Müller mit Dr. Schmidt."),
    ("el", "Ήρθε π.χ. η Άννα με τον κ. Παπαδόπουλο και τον Δρ. Νίκο."),
    ("en", "There was Mr. Fox, Mrs. Fox and Dr. Fox, e.g. Bond."),
    ("en", "Then Dr. No met Mr. Will Smith."),
    ("en", "The bell rang at 5 p.m. and all went home."),
    ("es", "El Sr. García y la Sra. López vieron a D. Quijote."),
    ("es", "Llegó a las 5 p. m. en punto y salió a las 6 a. m. sin hablar."),
    ("fi", "Tule klo. 15 sinne, esim. Annan kanssa."),
    ("fr", "Hier M. Dupont et MM. Durand sont venus."),
    ("fr", "Mme. Martin, Mlle. Rose et Dr. Knock sont venus."),
    ("he", "הגיע פרופ. לוי מהאוניברסיטה."),
    ("hi", "वहाँ डॉ. शर्मा आए।"),
    ("it", "C'erano il Sig. Rossi e il Ten. Bianchi."),
    ("ms", "Di sana ada En. Ali dan Pn. Siti."),
    ("nl", "Daar waren Dhr. Jansen en Mevr. Bakker."),
    ("no", "Han så f.eks. Anna og bl.a. Peter."),
    ("no", "Den 1. mai kom han hjem."),
    ("pl", "To był dr. Kowalski z prof. Nowak o godz. 15 przy ul. Długiej."),
    ("pt", "Estavam lá a Srta. Lima e o Cap. Costa."),
    ("ru", "Пришёл, т.е. Иван, и св. Пётр, и т. е. Анна."),
    ("ru", "Там были яблоки, груши и т.д. и т.п. в корзине."),
    ("ru", "— Нет! — сказал он."),
    ("sv", "Där var t.ex. Anna och bl.a. Peter, t. ex. Bo."),
    ("sw", "Alikuwa Dkt. Juma na Bw. Ali."),
    ("tr", "Orada Doç. Ahmet ve Sn. Ayşe vardı."),
]


def stripped(text: str, language: str) -> list[str]:
    return [sentence.strip() for sentence in split_sentences(text, language)]


def test_every_language_of_the_checkpoints_is_covered() -> None:
    assert SENTENCES.keys() == LANGUAGES.keys()


@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_sentences_end_at_the_marks_of_their_language(language: str) -> None:
    space = "" if language in ("ja", "zh") else " "
    assert stripped(space.join(SENTENCES[language]), language) == SENTENCES[language]


def test_an_unknown_language_is_split_at_common_marks() -> None:
    assert stripped("Un. Deux? Trois! Quatre", "tlh") == ["Un.", "Deux?", "Trois!", "Quatre"]


@pytest.mark.parametrize(("language", "text"), ONE_SENTENCE)
def test_an_abbreviation_does_not_end_its_sentence(language: str, text: str) -> None:
    following = SENTENCES[language][1]
    assert stripped(f"{text} {following}", language) == [text, following]


def test_an_abbreviation_may_end_a_sentence_before_a_capital() -> None:
    assert stripped("Llegó a las 5 p. m. El tren salió.", "es") == ["Llegó a las 5 p. m.", "El tren salió."]


def test_a_quote_that_opens_a_sentence_stays_with_it() -> None:
    assert stripped('He left. "Never closed. Yes.', "en") == ["He left.", '"Never closed.', "Yes."]


def test_the_quote_inside_a_hebrew_abbreviation_opens_no_quotation() -> None:
    assert stripped('ד"ר לוי הגיע. הוא אמר "שלום". כן.', "he") == ['ד"ר לוי הגיע.', 'הוא אמר "שלום".', "כן."]


def test_no_sentence_ends_inside_a_tag() -> None:
    assert "[sighs. Then laughs.]" in "|".join(stripped("He left. [sighs. Then laughs.] She too.", "en"))


def test_long_texts_are_split_like_short_ones() -> None:
    paragraph = "It was a dark night. Mr. Fox ran away, quickly. Nobody saw him go! "
    assert split_sentences(paragraph * 500, "en") == split_sentences(paragraph, "en") * 500


@pytest.mark.parametrize("awkward", ["a\u2028b. C", "a.\x85\u2028b", "a\ud800b. C", "\n" * 3000, "a\x00. B", ""])
def test_text_that_sentencex_cannot_take_is_split_all_the_same(awkward: str) -> None:
    assert "".join(split_sentences(awkward, "en")) == awkward


MARKS = " .!?…;:,。！？、।؟\n\r\t\u2028\x85\u200d\u0301\"'“”«»()[]（）「」—"
TEXTS = st.text(st.one_of(st.sampled_from(MARKS + string.ascii_letters + "éжعש你が한हि😀👩"), st.characters()))


@given(TEXTS, st.sampled_from([*LANGUAGES, "xx"]))
def test_joined_sentences_are_the_text_again(text: str, language: str) -> None:
    sentences = split_sentences(text, language)
    assert "".join(sentences) == text
    assert all(sentences)
