//! Every text of the pages, in both languages, by key.

use std::collections::BTreeMap;

/// A language that pages speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// Vietnamese, unless somebody chooses.
    #[default]
    Vietnamese,
    /// English.
    English,
}

impl Language {
    /// The tag that HTML and the cookie carry.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::Vietnamese => "vi",
            Language::English => "en",
        }
    }

    /// The language of a tag; Vietnamese for any but `en`.
    pub fn of(tag: &str) -> Language {
        if tag == "en" { Language::English } else { Language::Vietnamese }
    }
}

/// The texts of some lists of words, by key.
#[derive(Debug)]
pub struct Words {
    texts: BTreeMap<&'static str, [&'static str; 2]>,
}

impl Words {
    /// Reads lists of lines `key | Vietnamese | English`; lines that begin with `#` and empty ones
    /// are passed over. The failure names the first line that is wrong: not three parts, an empty
    /// one, a key that another line has.
    pub fn parse(lists: &[&'static str]) -> Result<Words, String> {
        let mut texts = BTreeMap::new();
        let lines = lists.iter().flat_map(|list| list.lines());
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let parts: Vec<&'static str> = line.split(" | ").map(str::trim).collect();
            let [key, vietnamese, english] = parts[..] else {
                return Err(format!("'{line}' is not key, Vietnamese and English"));
            };
            if [key, vietnamese, english].contains(&"") {
                return Err(format!("'{line}' leaves a part empty"));
            }
            if texts.insert(key, [vietnamese, english]).is_some() {
                return Err(format!("'{key}' stands twice"));
            }
        }
        Ok(Words { texts })
    }

    /// Whether there is a text for a key.
    pub fn has(&self, key: &str) -> bool {
        self.texts.contains_key(key)
    }

    /// The keys with their texts.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, [&'static str; 2])> {
        self.texts.iter().map(|(key, texts)| (*key, *texts))
    }

    /// The words of this crate's own pages.
    pub const FRAME: &'static str = include_str!("../words.txt");
}

/// The words in one language.
#[derive(Clone, Copy, Debug)]
pub struct Tongue<'w> {
    words: &'w Words,
    /// Which language.
    pub language: Language,
}

impl<'w> Tongue<'w> {
    /// The words in `language`.
    pub fn new(words: &'w Words, language: Language) -> Tongue<'w> {
        Tongue { words, language }
    }

    /// The same words in another language.
    pub(crate) fn in_language(self, language: Language) -> Tongue<'w> {
        Tongue { language, ..self }
    }

    /// The text of a key; the key itself in brackets if nobody gave one, which a test prevents.
    pub fn say(&self, key: &str) -> String {
        match self.words.texts.get(key) {
            Some(texts) => texts[self.language as usize].to_owned(),
            None => format!("[{key}]"),
        }
    }

    /// The text of a key with each `{name}` in it replaced.
    pub fn tell(&self, key: &str, parts: &[(&str, &str)]) -> String {
        let mut text = self.say(key);
        for (name, part) in parts {
            text = text.replace(&format!("{{{name}}}"), part);
        }
        text
    }

    /// The text of a key with `{name}` in it replaced: the form that templates can call.
    pub fn fill(&self, key: &str, name: &str, part: &str) -> String {
        self.tell(key, &[(name, part)])
    }

    /// The text of a key, or `other` without one.
    pub fn say_or(&self, key: &str, other: &str) -> String {
        if self.words.has(key) { self.say(key) } else { self.own_half(other).to_owned() }
    }

    /// This language's half of a text that says the same twice, `Vietnamese / English`.
    pub fn own_half<'t>(&self, text: &'t str) -> &'t str {
        match text.split_once(" / ") {
            None => text,
            Some((vietnamese, english)) => match self.language {
                Language::Vietnamese => vietnamese,
                Language::English => english,
            },
        }
    }
}

/// Working time in words: days and hours, below an hour in minutes.
pub fn worked(t: Tongue<'_>, minutes: u64) -> String {
    let (days, rest) = (minutes / WORKING_DAY_MINUTES, minutes % WORKING_DAY_MINUTES);
    let parts = match (days, rest / 60) {
        (0, 0) => vec![("time.minutes", rest)],
        (0, hours) => vec![("time.hours", hours)],
        (days, 0) => vec![("time.days", days)],
        (days, hours) => vec![("time.days", days), ("time.hours", hours)],
    };
    let said = parts.into_iter().map(|(key, count)| t.fill(key, "count", &count.to_string()));
    said.collect::<Vec<_>>().join(" ")
}

/// Eight hours, as the clock of the law counts them.
const WORKING_DAY_MINUTES: u64 = 480;

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
