//! What befalls four dossiers of a demonstration: several agencies work on one, one lacks a paper,
//! one is late, and about one two offices contradict each other while the network is cut.

use std::path::Path;

use lienthong_forms::FormKind;
use lienthong_protocol::OfficeId;
use lienthong_request::{Failure, Request};
use serde_json::{Value, json};

use crate::print::{Format, print};
use crate::stage::Stage;

/// Chấp thuận chủ trương đầu tư: a department leads, and asks others.
const INVESTMENT: &str = "1.009645.H47";
/// Cấp Giấy xác nhận tình trạng hôn nhân, three working days.
const MARITAL_STATUS: &str = "1.004873.H47";
/// Đăng ký thành lập hộ kinh doanh, three working days.
const BUSINESS: &str = "1.001612.H47";
/// Đăng ký đất đai lần đầu: the commune receives, the district decides.
const LAND: &str = "1.012814.H47";

/// Who plays.
pub(crate) struct Cast {
    /// The department that leads.
    pub(crate) lead: OfficeId,
    /// Whom it asks; the first answers in time.
    pub(crate) agencies: [OfficeId; 2],
    /// A district that is cut off.
    pub(crate) district: OfficeId,
    /// One of its communes, which is not.
    pub(crate) commune: OfficeId,
}

/// The four dossiers, by document id.
pub(crate) struct Story {
    cast: Cast,
    hub: OfficeId,
    joint: String,
    lacking: String,
    late: String,
    disputed: String,
}

impl Story {
    /// The first day, with everything connected.
    pub(crate) async fn begin(stage: &Stage, cast: Cast) -> Result<Story, Failure> {
        let hub = stage.root();
        let (district, commune) = (cast.district, cast.commune);
        let joint = stage.receive(hub, INVESTMENT, &cast.agencies).await?;
        let lacking = stage.receive(commune, MARITAL_STATUS, &[]).await?;
        let late = stage.receive(district, BUSINESS, &[]).await?;
        let disputed = stage.receive(commune, LAND, &[]).await?;
        let story = Story { cast, hub, joint, lacking, late, disputed };
        story.hand_to_lead(stage).await?;
        story.ask_agencies(stage).await?;
        story.act(stage, commune, &story.lacking, json!({ "kind": "in-process" })).await?;
        let lacks = json!({
            "kind": "supplement-asked",
            "reason": "thiếu bản sao giấy chứng tử của vợ/chồng trước đây",
            "due": "2017-06-12T17:00",
        });
        story.act(stage, commune, &story.lacking, lacks).await?;
        story.act(stage, district, &story.late, json!({ "kind": "in-process" })).await?;
        stage.holds(district, &story.disputed, 1).await?;
        story.act(stage, district, &story.disputed, json!({ "kind": "in-process" })).await?;
        stage.holds(commune, &story.disputed, 2).await?;
        stage.say(&format!(
            "liên thông: {} chủ trì, xin ý kiến {} / leads and asks these",
            story.cast.lead,
            story.cast.agencies.map(|agency| agency.to_string()).join(", ")
        ));
        Ok(story)
    }

    async fn hand_to_lead(&self, stage: &Stage) -> Result<(), Failure> {
        let lead = self.cast.lead;
        let handed = json!({ "kind": "transferred", "to_office": lead });
        let handed = self.act(stage, self.hub, &self.joint, handed).await?;
        stage.holds(lead, &self.joint, 2).await?;
        let taken = json!({ "kind": "taken", "regards": handed });
        self.act(stage, lead, &self.joint, taken).await?;
        self.act(stage, lead, &self.joint, json!({ "kind": "in-process" })).await.map(drop)
    }

    async fn ask_agencies(&self, stage: &Stage) -> Result<(), Failure> {
        let dues = ["2017-06-14T17:00", "2017-06-09T17:00"];
        for (agency, due) in self.cast.agencies.into_iter().zip(dues) {
            let asked = json!({
                "kind": "consulted",
                "to_office": agency,
                "note": "cho ý kiến thẩm định dự án",
                "due": due,
            });
            self.act(stage, self.cast.lead, &self.joint, asked).await?;
        }
        Ok(())
    }

    /// A week later, with the district still cut off.
    pub(crate) async fn a_week_later(&self, stage: &Stage) -> Result<(), Failure> {
        let (district, commune) = (self.cast.district, self.cast.commune);
        self.act(stage, commune, &self.lacking, json!({ "kind": "supplied" })).await?;
        self.act(stage, commune, &self.lacking, json!({ "kind": "finished" })).await?;
        self.act(stage, commune, &self.lacking, json!({ "kind": "returned" })).await?;
        stage.say(
            "bổ sung: công dân đã nộp, đồng hồ chạy tiếp, đã trả kết quả / \
             supplement: handed in, the clock went on, the result is returned",
        );
        self.apologise(stage, district).await?;
        self.contradict(stage, district, commune).await?;
        self.first_reply(stage).await
    }

    async fn apologise(&self, stage: &Stage, district: OfficeId) -> Result<(), Failure> {
        let review = stage.ask(district, Request::Show { dossier: self.late.clone() }).await?;
        let late = review["clock"]["late_by_minutes"].as_u64().unwrap_or(0);
        let sorry = json!({
            "kind": "extended",
            "reason": "mất mạng và mất điện nhiều ngày sau mưa bão",
            "due": "2017-06-14T17:00",
        });
        self.act(stage, district, &self.late, sorry).await?;
        self.act(stage, district, &self.late, json!({ "kind": "finished" })).await?;
        stage.say(&format!(
            "trễ hạn: {district} trễ {late} phút làm việc, xin lỗi và hẹn lại 14/06/2017 / \
             late by {late} working minutes: apology and a new date"
        ));
        Ok(())
    }

    /// The commune writes down that the citizen takes the dossier back; the district, which cannot
    /// know, finishes it.
    async fn contradict(
        &self,
        stage: &Stage,
        district: OfficeId,
        commune: OfficeId,
    ) -> Result<(), Failure> {
        let back = json!({ "kind": "withdrawn", "note": "công dân xin rút để bổ sung tài sản" });
        self.act(stage, commune, &self.disputed, back).await?;
        self.act(stage, district, &self.disputed, json!({ "kind": "finished" })).await?;
        stage.say(&format!(
            "{commune} ghi rút hồ sơ, {district} (mất mạng) xử lý xong cùng hồ sơ đó / \
             one writes a withdrawal, the other, cut off, finishes the same dossier"
        ));
        Ok(())
    }

    async fn first_reply(&self, stage: &Stage) -> Result<(), Failure> {
        let [prompt, silent] = self.cast.agencies;
        self.reply(stage, prompt, "512/STNMT-KHTC", "2017-06-12").await?;
        stage
            .until("the reply of the first agency", async || {
                let known = stage.show(self.cast.lead, &self.joint).await?;
                Ok(known["records"]["requests"].as_array().is_some_and(|requests| {
                    requests.iter().any(|request| !request["reply"].is_null())
                }))
            })
            .await?;
        let review = Request::Review { dossier: self.joint.clone() };
        let review = stage.ask(self.cast.lead, review).await?;
        stage.say(&format!("{prompt} đã trả lời bằng văn bản / has answered in writing"));
        for finding in review["findings"].as_array().into_iter().flatten() {
            let words = ["words_vi", "words"].map(|key| finding[key].as_str().unwrap_or_default());
            stage.say(&format!("{silent}: {}", words.join(" / ")));
        }
        Ok(())
    }

    async fn reply(
        &self,
        stage: &Stage,
        agency: OfficeId,
        letter: &str,
        date: &str,
    ) -> Result<(), Failure> {
        let known = stage.show(agency, &self.joint).await?;
        let requests = known["records"]["requests"].as_array().cloned().unwrap_or_default();
        let own = requests.iter().find(|request| request["agency"] == agency.as_str());
        let asked = own.map(|request| request["act"].clone()).unwrap_or_default();
        let reply = json!({
            "kind": "replied",
            "regards": asked,
            "reply": { "number": letter, "date": date, "signer": "Phó Giám đốc" },
        });
        self.act(stage, agency, &self.joint, reply).await.map(drop)
    }

    /// What is done once everything is connected again and settled.
    pub(crate) async fn end(&self, stage: &Stage) -> Result<(), Failure> {
        self.decide(stage).await?;
        let (lead, silent) = (self.cast.lead, self.cast.agencies[1]);
        self.reply(stage, silent, "97/CV-GTr", "2017-06-13").await?;
        stage
            .until("the last reply at the lead", async || {
                let known = stage.show(lead, &self.joint).await?;
                let requests = known["records"]["requests"].as_array().cloned().unwrap_or_default();
                Ok(requests.iter().all(|request| !request["reply"].is_null()))
            })
            .await?;
        let result = json!({ "kind": "result-issued", "detail": { "result": {
            "kind": "Quyết định chấp thuận chủ trương đầu tư",
            "number": "2041/QĐ-UBND",
            "signer": "Phó Chủ tịch",
            "date": "2017-06-13",
        } } });
        self.act(stage, lead, &self.joint, result).await?;
        self.act(stage, lead, &self.joint, json!({ "kind": "finished" })).await?;
        let handed = json!({ "kind": "transferred", "to_office": self.hub });
        let handed = self.act(stage, lead, &self.joint, handed).await?;
        stage
            .until("the result at the hub", async || {
                let known = stage.show(self.hub, &self.joint).await?;
                Ok(known["offices"]["holder"] == self.hub.as_str())
            })
            .await?;
        let taken = json!({ "kind": "taken", "regards": handed });
        self.act(stage, self.hub, &self.joint, taken).await?;
        self.act(stage, self.hub, &self.joint, json!({ "kind": "returned" })).await?;
        stage.say("liên thông: đủ ý kiến, đã trả kết quả / all have answered, result returned");
        Ok(())
    }

    async fn decide(&self, stage: &Stage) -> Result<(), Failure> {
        let district = self.cast.district;
        let known = stage.show(district, &self.disputed).await?;
        let conflicts = known["review"].as_array().cloned().unwrap_or_default();
        let open = conflicts.iter().find(|review| review["kind"] == "conflict");
        let open = open.ok_or_else(|| {
            let why = "the two acts that exclude each other are not in review";
            Failure::failed("demo-no-conflict", "the demonstration failed", why, "report this")
        })?;
        let words = ["words_vi", "words"].map(|key| open[key].as_str().unwrap_or_default());
        stage.say(&format!("cần xem lại / to be decided: {}", words.join(" / ")));
        let acts = known["acts"].as_array().cloned().unwrap_or_default();
        let back = acts.iter().find(|act| act["kind"] == "withdrawn");
        let decision = json!({
            "kind": "resolved",
            "regards": back.map(|act| act["id"].clone()),
            "reason": "công dân đã rút trước khi có kết quả",
        });
        self.act(stage, district, &self.disputed, decision).await?;
        let known = stage.show(district, &self.disputed).await?;
        stage.say(&format!(
            "{district} quyết định: việc rút hồ sơ có hiệu lực, còn {} việc phải xem lại / \
             decides for the withdrawal",
            known["review"].as_array().map_or(0, Vec::len)
        ));
        Ok(())
    }

    /// Prints the receipt and the control slip of the dossier of many agencies.
    pub(crate) async fn papers(
        &self,
        stage: &Stage,
        folder: &Path,
    ) -> Result<Vec<String>, Failure> {
        let facts = stage.ask(self.hub, Request::Print { dossier: self.joint.clone() }).await?;
        let code = facts["facts"]["code"].as_str().unwrap_or_default();
        let mut files = Vec::new();
        for kind in [FormKind::Receipt, FormKind::Slip] {
            let file = folder.join(format!("form-{:02}-{code}.pdf", kind.number()));
            let printed = print(&facts, kind, Format::Pdf, Some(file))?;
            files.push(printed["file"].as_str().unwrap_or_default().to_owned());
        }
        stage.say(&format!("đã in / printed: {}", files.join(", ")));
        Ok(files)
    }

    /// Lets an office do an act, and says which id it got.
    async fn act(
        &self,
        stage: &Stage,
        office: OfficeId,
        dossier: &str,
        mut act: Value,
    ) -> Result<String, Failure> {
        act["id"] = "".into();
        act["office"] = office.as_str().into();
        act["officer"] = "chuyên viên".into();
        let act = serde_json::from_value(act).map_err(|error| {
            let why = error.to_string();
            Failure::failed("demo-act", "the demonstration failed", why, "report this")
        })?;
        let request = Request::Act { dossier: dossier.to_owned(), act };
        let done = stage.ask(office, request).await?;
        Ok(done["act"].as_str().unwrap_or_default().to_owned())
    }
}
