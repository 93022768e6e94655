//! Writes the registry: called inside an edit of its document, by a node of the root office.

use std::collections::BTreeMap;

use lienthong_document::{EditError, Editor};
use lienthong_protocol::{Incarnation, Moment, NodeId, OfficeId};
use serde_json::{Value, json};

use crate::office::Office;
use crate::province::Province;
use crate::serials::SerialPart;

/// A node that the registry takes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNode {
    /// Its public key.
    pub id: NodeId,
    /// The office in whose name it will act.
    pub office: OfficeId,
    /// Where it listens, as `host:port`; readers keep the first `protocol::limits::MAX_ADDRESSES`.
    pub addresses: Vec<String>,
    /// The serials that it may give, as [`crate::Registry::free_serial_part`] says; none when all
    /// belong to others: then it gives no codes.
    pub serials: Option<SerialPart>,
}

/// Writes the first state of a registry: the whole province and the first node of its root.
pub fn found(
    editor: &mut Editor<'_>,
    province: &Province,
    root_node: NodeId,
    addresses: &[String],
    at: Moment,
) -> Result<(), EditError> {
    editor.ensure_map(&["federation"])?;
    editor.put(&["federation", "name"], province.name.as_str())?;
    editor.put(&["federation", "root"], province.root.as_str())?;
    for office in &province.offices {
        add_office(editor, office, at)?;
    }
    let (office, addresses) = (province.root, addresses.to_vec());
    let serials = Some(SerialPart::FIRST);
    add_node(editor, &NewNode { id: root_node, office, addresses, serials }, at)
}

/// Takes in an office as of `at`. An entry of that id is replaced, so the caller first makes sure
/// that the id was never used.
pub fn add_office(editor: &mut Editor<'_>, office: &Office, at: Moment) -> Result<(), EditError> {
    let office = Office { since: at, ..office.clone() };
    let path = ["offices", office.id.as_str()];
    let Ok(Value::Object(mut entry)) = serde_json::to_value(&office) else {
        return Err(EditError::WrongKind { path: path.join("/") });
    };
    entry.remove("id");
    editor.ensure_map(&["offices"])?;
    editor.put(&path, Value::Object(entry))
}

/// Hangs an office under another one as of `at`. The office that it leaves stays noted beside the
/// new one, even if two such moves are written at once.
pub fn move_office(
    editor: &mut Editor<'_>,
    office: OfficeId,
    above: OfficeId,
    at: Moment,
) -> Result<(), EditError> {
    let path = ["offices", office.as_str(), "parent"];
    let left = editor.get(&path).and_then(|parent| Some(parent.as_str()?.to_owned()));
    let noted = ["offices", office.as_str(), "stood_under"];
    editor.ensure_map(&noted)?;
    for parent in left.as_deref().into_iter().chain([above.as_str()]) {
        editor.put(&[noted[0], noted[1], noted[2], parent], at.0)?;
    }
    editor.put(&path, above.as_str())
}

/// Takes in a node as of `at`. A node that is there already, even a revoked one, is left alone
/// but for its addresses: a key that was revoked never comes back.
pub fn add_node(editor: &mut Editor<'_>, node: &NewNode, at: Moment) -> Result<(), EditError> {
    let key = node.id.to_string();
    if editor.get(&["nodes", &key]).is_some() {
        return set_addresses(editor, node.id, &node.addresses);
    }
    editor.ensure_map(&["nodes"])?;
    let NewNode { office, addresses, .. } = node;
    let entry = json!({ "office": office, "addresses": addresses, "since": at });
    editor.put(&["nodes", &key], entry)?;
    node.serials.map_or(Ok(()), |part| set_serials(editor, node.id, part))
}

/// Gives a node a part of the day's serials from now on.
pub fn set_serials(
    editor: &mut Editor<'_>,
    node: NodeId,
    part: SerialPart,
) -> Result<(), EditError> {
    let key = node.to_string();
    editor.put(&["nodes", &key, "serials"], u64::from(part.number()))
}

/// Says where a node listens from now on.
pub fn set_addresses(
    editor: &mut Editor<'_>,
    node: NodeId,
    addresses: &[String],
) -> Result<(), EditError> {
    let key = node.to_string();
    editor.put(&["nodes", &key, "addresses"], addresses.to_vec())
}

/// Revokes a node for ever: of each incarnation in `last_seqs` the changes up to that `seq`
/// count, of every other one none.
pub fn revoke(
    editor: &mut Editor<'_>,
    node: NodeId,
    last_seqs: &BTreeMap<Incarnation, u64>,
) -> Result<(), EditError> {
    let key = node.to_string();
    if editor.get(&["nodes", &key]).is_none() {
        return Err(EditError::Missing { path: format!("/nodes/{key}") });
    }
    editor.ensure_map(&["nodes", &key, "revoked"])?;
    for (incarnation, last_seq) in last_seqs {
        let incarnation = incarnation.to_string();
        editor.put(&["nodes", &key, "revoked", &incarnation], *last_seq)?;
    }
    Ok(())
}

/// Says why a node was revoked; readers leave out more than `protocol::limits::MAX_TEXT_BYTES`.
pub fn explain_revocation(
    editor: &mut Editor<'_>,
    node: NodeId,
    reason: &str,
) -> Result<(), EditError> {
    let key = node.to_string();
    editor.put(&["nodes", &key, "revoked_because"], reason)
}
