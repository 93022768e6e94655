//! What the demonstration plays with: real offices and procedures, people who do not exist.

use jiff::civil::{Date, date};
use lienthong_catalogue::{Channel, Component, Edition, Procedure, ProcedureVersion};
use lienthong_dossier::Reception;
use lienthong_federation::{Office, Province};
use lienthong_protocol::OfficeId;
use serde::Deserialize;
use serde_json::json;

use lienthong_request::{Failure, Request};

/// The reference catalogue and the names for demonstrations, part of the program.
pub(crate) const PROCEDURES: &str = include_str!("../../config/quang-nam/procedures.toml");
const NAMES: &str = include_str!("../../config/quang-nam/names.toml");

/// The day of the demonstration: that of the province, before the reform.
const DAY: Date = date(2017, 6, 5);

/// Planning and investment, natural resources, construction: one leads, the others are asked.
const DEPARTMENTS: [&str; 3] = ["QNM-SKHDT", "QNM-STNMT", "QNM-SXD"];

/// What is offered, and who applies.
pub(crate) struct Catalogue {
    edition: Edition,
    names: Names,
}

#[derive(Default, Deserialize)]
struct Names {
    family: Vec<Family>,
    middle: BySex,
    given: BySex,
}

#[derive(Deserialize)]
struct Family {
    names: Vec<Weighted>,
}

#[derive(Deserialize)]
struct Weighted {
    name: String,
    weight: usize,
}

#[derive(Default, Deserialize)]
struct BySex {
    male: Vec<String>,
    female: Vec<String>,
}

impl Catalogue {
    /// The catalogue of Quảng Nam.
    pub(crate) fn reference() -> Result<Catalogue, Failure> {
        let edition = Edition::parse("procedures.toml", PROCEDURES);
        let edition = edition.map_err(|faults| {
            let words: Vec<String> = faults.iter().map(ToString::to_string).collect();
            bad_catalogue(&words.join("; "))
        })?;
        let names = toml::from_str(NAMES);
        let names = names.map_err(|error: toml::de::Error| bad_catalogue(error.message()))?;
        Ok(Catalogue { edition, names })
    }

    /// A reception that this office may have on its counter. Equal numbers give equal ones.
    pub(crate) fn reception(
        &self,
        province: &Province,
        office: &Office,
        number: usize,
    ) -> Result<Reception, Failure> {
        let offered = self.edition.procedures_at(DAY);
        let fitting: Vec<&ProcedureVersion> =
            offered.filter(|offered| self.fits(&offered.procedure, office)).collect();
        let mut draw = Draw(number as u64);
        let offered = draw.one_of(&fitting).ok_or_else(|| {
            bad_catalogue(&format!("no procedure is received by the tier '{}'", office.tier))
        })?;
        let procedure = &offered.procedure;
        let channels: Vec<Channel> =
            procedure.channels.iter().copied().filter(|known| *known != Channel::EMail).collect();
        let channel = draw.one_of(&channels).copied().unwrap_or(Channel::Counter);
        self.filled_in((province, office), offered, channel, &mut draw)
    }

    /// A reception of one procedure at the counter, by its code.
    pub(crate) fn named(
        &self,
        (province, office): (&Province, &Office),
        procedure: &str,
        coordinating: &[OfficeId],
    ) -> Result<Reception, Failure> {
        let offered = self.edition.procedure_at(procedure, DAY);
        let offered = offered
            .ok_or_else(|| bad_catalogue(&format!("procedure {procedure} is not offered")))?;
        let mut draw = Draw(u64::from(offered.version));
        let mut reception =
            self.filled_in((province, office), offered, Channel::Counter, &mut draw)?;
        reception.offices.coordinating = coordinating.to_vec();
        Ok(reception)
    }

    fn filled_in(
        &self,
        (province, office): (&Province, &Office),
        offered: &ProcedureVersion,
        channel: Channel,
        draw: &mut Draw,
    ) -> Result<Reception, Failure> {
        let procedure = &offered.procedure;
        let papers = procedure.components.iter().filter(|paper| paper.required).map(|paper| {
            let Component { code, name, originals, copies, .. } = paper;
            json!({ "code": code, "name": name, "originals": originals, "copies": copies })
        });
        let value = json!({
            "procedure": procedure.code,
            "version": offered.version,
            "field": procedure.field,
            "channel": channel,
            "return_by": if channel == Channel::Post { "post" } else { "counter" },
            "offices": {
                "receiving": office.id,
                "competent": self.competent(province, procedure, office),
            },
            "applicant": { "kind": "citizen", "name": self.names.draw(draw) },
            "components": papers.collect::<Vec<_>>(),
        });
        serde_json::from_value(value).map_err(|error| bad_catalogue(&error.to_string()))
    }

    fn fits(&self, procedure: &Procedure, office: &Office) -> bool {
        let role = |id: &String| self.edition.role(id);
        procedure.receivers().iter().filter_map(role).any(|role| role.tier == office.tier)
    }

    /// The office that decides where that is not the receiving one: the office of the role, or
    /// the district of the commune.
    fn competent(
        &self,
        province: &Province,
        procedure: &Procedure,
        office: &Office,
    ) -> Option<String> {
        let role = self.edition.role(&procedure.role)?;
        let has = |id: OfficeId| province.offices.iter().any(|office| office.id == id);
        match role.office {
            Some(id) if has(id) => Some(id.to_string()),
            _ if role.tier == "district" && office.tier == "commune" => {
                office.parent.map(|parent| parent.to_string())
            }
            _ => None,
        }
    }
}

impl Names {
    fn draw(&self, draw: &mut Draw) -> String {
        // Nine of ten families are of the first list, as in the province.
        let list = if draw.below(10) == 0 { self.family.last() } else { self.family.first() };
        let names = list.map(|family| family.names.as_slice()).unwrap_or_default();
        let mut at = draw.below(names.iter().map(|name| name.weight).sum());
        let family = names.iter().find(|name| {
            let is_here = at < name.weight;
            at = at.saturating_sub(name.weight);
            is_here
        });
        let (middle, given) = match draw.below(2) {
            0 => (&self.middle.female, &self.given.female),
            _ => (&self.middle.male, &self.given.male),
        };
        let parts = [
            family.map(|family| family.name.clone()),
            draw.one_of(middle).cloned(),
            draw.one_of(given).cloned(),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// Draws that depend on nothing but where they begin: a demonstration can be played again.
struct Draw(u64);

impl Draw {
    /// A number below the limit; 0 if the limit is.
    fn below(&mut self, limit: usize) -> usize {
        // The step and the mixing of SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let drawn = (mixed ^ (mixed >> 31)) as usize;
        drawn.checked_rem(limit).unwrap_or(0)
    }

    fn one_of<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }
}

/// Departments that work with each other, and districts in the order of the roll-out, each with its
/// first communes.
pub(crate) fn choose(province: &Province, offices: usize) -> Vec<OfficeId> {
    let departments = DEPARTMENTS.iter().take(if offices < 8 { 2 } else { 3 });
    let has = |id: &OfficeId| province.offices.iter().any(|office| office.id == *id);
    let departments = departments.filter_map(|id| id.parse().ok());
    let mut chosen: Vec<OfficeId> = departments.filter(has).collect();
    let mut districts: Vec<_> =
        province.offices.iter().filter(|office| office.tier == "district").collect();
    districts.sort_by_key(|office| (office.wave, office.id));
    for district in districts {
        chosen.push(district.id);
        let communes = province.offices.iter().filter(|o| o.parent == Some(district.id));
        chosen.extend(communes.take((offices / 18).max(2)).map(|office| office.id));
    }
    chosen.truncate(offices);
    chosen
}

/// What an office does with a dossier after it took it in: not with each the same.
pub(crate) fn acts(
    dossier: &str,
    office: OfficeId,
    number: usize,
) -> Result<Vec<Request>, Failure> {
    let kinds: &[&str] = match number % 4 {
        0 => &["in-process"],
        1 => &["in-process", "finished"],
        2 => &["in-process", "finished", "returned"],
        _ => &["in-process", "supplement-asked"],
    };
    let request = |kind: &&str| {
        let reason = (*kind == "supplement-asked").then_some("thiếu bản sao");
        let officer = "chuyên viên";
        let act = json!({
            "id": "", "kind": kind, "office": office, "officer": officer, "reason": reason,
        });
        let act = serde_json::from_value(act).map_err(|error| bad_catalogue(&error.to_string()))?;
        Ok(Request::Act { dossier: dossier.to_owned(), act })
    };
    kinds.iter().map(request).collect()
}

fn bad_catalogue(why: &str) -> Failure {
    Failure::failed("demo-catalogue", "no demonstration", why, "report this")
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
