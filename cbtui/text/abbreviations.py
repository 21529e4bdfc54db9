"""Abbreviations after which sentencex 1.0.32 wrongly ends a sentence, found by experiment.

sentencex knows many titles, but forgets them before a word that often opens a sentence ("Dr. No", "Mr. Will
Smith"), and knows no abbreviations at all for some languages. Entries are written without spaces: `z.B.` also
stands for `z. B.`.
"""

from __future__ import annotations

from collections.abc import Mapping

# A name, a number or the rest of the sentence always follows.
NEVER_FINAL: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "ar": "د. أ. أ.د. م. ص.",
        "da": "Hr. Fr. hr. fr. dr. Dr. prof. Prof. bl.a. f.eks. s.k. Sct. Skt. cand. ift. bl. dvs. nr. ca. kl.",
        "de": "Hr. Hrn. Fr. Frl. Dr. Prof. Dipl.-Ing. Ing. Hptm. Hl. hl. St. z.B. d.h. Bd. Abb. Abs. Kap. Nr. Tel. "
        "bes. insb. inkl. max. mind. ehem. gegr. geb. gest. vgl. ca. bzw.",
        "el": "κ. κα. κος. Δρ. δρ. Καθ. καθ. π.χ. λ.χ. δηλ. βλ. πρβλ. Αγ. αγ. Άγ. Στρ. αρ. σελ. τηλ. κεφ. λεωφ. οδ.",
        "en": "Mr. Mrs. Ms. Dr. Prof. Rev. Capt. Col. Gen. Lt. Sgt. Maj. Cpl. Adm. Hon. Sen. Rep. Gov. Messrs. Mme. "
        "Mlle. Insp. Det. Supt. Br. St. Ft. Mt. Vol. ch. approx. e.g. i.e. cf. vs. viz.",
        "es": "Sr. Sra. Srta. Sres. Sras. Dr. Dra. Dres. D. Dña. Prof. Profa. Lic. Ing. Arq. Gral. Cnel. Tte. Sto. "
        "Sta. Fr. Mons. Excmo. Excma. Hno. Hna. n.º cf. p.ej. P.ej.",
        "fi": "esim. Esim. tri. prof. St. Hr. hra. rva. nti. os. ks. klo. nro. puh. synt. vrt. ns.",
        "fr": "M. MM. Mme. Mmes. Mlle. Mlles. Dr. Pr. Prof. Me. Mgr. St. Ste. c.-à-d. bd. cf. p.ex. n°.",
        "he": "פרופ. פרופ'. גב'. עמ.",
        "hi": "डॉ. प्रो. श्री. सुश्री. पं. मो. कु. उदा. क्र. सं.",
        "it": "Sig. Sig.ra Sig.na Sigg. Dott. Dott.ssa Dr. Prof. Prof.ssa Ing. Avv. Ten. S. Gent. pag. pagg. vd. p.es.",
        "ms": "Dr. Prof. En. Pn. Tn. Hj. Hjh. Sdr. Sdri. Ir. Kol. Kapt. Jen. Jl. Jln. Kg. Tg. Sg. Sk. bil. cth.",
        "nl": "Dhr. dhr. Mevr. mevr. Mw. mw. Dr. dr. Prof. prof. Ds. ds. Kol. Kap. Jhr. St. d.w.z. o.a. incl. excl. "
        "bijv.",
        "no": "Hr. Fr. hr. fr. dr. Dr. prof. Prof. f.eks. bl.a. bl. dvs. kl. pga. jf. jfr. tlf. mht. iht. ift. evt. "
        "inkl. ekskl. maks. pkt. nr. ca.",
        "pl": "dr. Dr. mgr. inż. hab. prof. Prof. ks. Ks. św. Św. bp. abp. gen. płk. kpt. por. mjr. al. pl. ul. os. "
        "godz. tj. tzw. m.in. np. im. wg. zob. str. nr. tel. p. s. o.",
        "pt": "Sr. Sra. Srta. Dr. Dra. Prof. Profa. D. Arq. Exma. Exmo. Sta. Sto. S. Pe. Fr. Cel. Cap. Ten. Av. R. p. "
        "p.ex. pág. págs. n.º núm. vol. cap. tel. av. cf.",
        "ru": "т.е. т.н. св. Св. проф. акад. доц. ген. полк. кап. лейт. им. ср. см. напр. ул. пл. обл. оз. рис. табл. "
        "гл. ст.",
        "sv": "Hr. hr. dr. Dr. prof. Prof. t.ex. bl.a. bl. d.v.s. dvs. kl. jfr. resp. tel. S:t. ang. s.k. nr. ca.",
        "sw": "Dk. Dkt. Dr. Bw. Bi. Bb. Mhe. Mh. Mch. Sh. Prof. Kap. Jen. uk.",
        "tr": "Dr. Prof. Doç. Yrd. Av. Sn. Alb. Yzb. Bnb. Org. Müh. Mim. Öğr. Öğr.Gör. Hz. Uzm. Op. örn. Örn. bkz. "
        "Bkz. sf. Tel. M.Ö. M.S.",
    }.items()
}

# These end a sentence or stand inside one: only a small letter behind them tells.
SOMETIMES_FINAL: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "da": "min. osv. m.m. m.fl.",
        "de": "usw. u.a. o.ä. etc.",
        "el": "ό.π. εκ. κ.λπ. κ.ά.",
        "en": "a.m. p.m. etc. Jr. Sr. Inc. Ltd. Co. U.S. U.K.",
        "es": "a.m. p.m. EE.UU. etc. Ud. Uds.",
        "fi": "ym. jne. em. ko.",
        "fr": "J.-C. Cie. etc.",
        "it": "ecc. n.",
        "ms": "dll. dsb.",
        "nl": "enz. e.d. a.s. jl.",
        "no": "osv. m.m. m.fl. min.",
        "pl": "itd. itp. r. w. min. sek. pt. ok.",
        "pt": "etc. a.C. d.C. a.m. p.m.",
        "ru": "т.д. т.п. др. г. гг. в. вв. руб. коп. тыс. млн. млрд.",
        "sv": "osv. m.fl. m.m. o.s.v.",
        "tr": "vb. vs. Cad. Sok. Mah. Apt. yy.",
    }.items()
}
