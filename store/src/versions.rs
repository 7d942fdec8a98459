//! Change keys and predecessor change lists (MS-OXCFXICS 2.2.2.2 and 2.2.2.3).

use std::collections::BTreeMap;

use ropewalk_props::{GlobCnt, Guid};

/// Change tracking of an object that other replicas changed as well. An object that only this
/// replica changed needs none: its change key and its list follow from its change number.
#[derive(Clone, Debug, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct Versions {
    /// PidTagChangeKey.
    pub change_key: Vec<u8>,
    /// PidTagPredecessorChangeList.
    pub predecessors: Vec<u8>,
}

/// The XID of a change of this replica (MS-OXCFXICS 2.2.2.2): its GUID, and the change number's six
/// bytes, most significant first.
pub fn xid(replica: Guid, cn: GlobCnt) -> Vec<u8> {
    let mut xid = replica.0.to_vec();
    xid.extend_from_slice(&cn.to_bytes());
    xid
}

/// PidTagChangeKey of an object.
pub fn change_key(replica: Guid, cn: GlobCnt, versions: Option<&Versions>) -> Vec<u8> {
    versions.map_or_else(|| xid(replica, cn), |versions| versions.change_key.clone())
}

/// PidTagPredecessorChangeList of an object.
pub fn predecessors(replica: Guid, cn: GlobCnt, versions: Option<&Versions>) -> Vec<u8> {
    match versions {
        Some(versions) => versions.predecessors.clone(),
        None => merge(&[], &xid(replica, cn)),
    }
}

/// The change tracking of an object after this replica changed it.
pub fn changed(replica: Guid, cn: GlobCnt, old: Option<&Versions>) -> Option<Box<Versions>> {
    let change_key = xid(replica, cn);
    let predecessors = merge(&old?.predecessors, &change_key);
    Some(Box::new(Versions {
        change_key,
        predecessors,
    }))
}

/// Adds a change to a PredecessorChangeList: one SizedXid per replica, its latest, by ascending GUID
/// bytes (MS-OXCFXICS 2.2.2.3). A malformed rest of the list is dropped.
pub fn merge(list: &[u8], xid: &[u8]) -> Vec<u8> {
    let mut latest: BTreeMap<&[u8], &[u8]> = BTreeMap::new();
    for xid in sized_xids(list).chain([xid]) {
        let Some((guid, local)) = xid.split_at_checked(16) else {
            continue;
        };
        let known = latest.entry(guid).or_insert(local);
        if local > *known {
            *known = local;
        }
    }
    let mut out = Vec::new();
    for (guid, local) in latest {
        out.push((guid.len() + local.len()) as u8);
        out.extend_from_slice(guid);
        out.extend_from_slice(local);
    }
    out
}

fn sized_xids(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let (size, tail) = rest.split_first()?;
        let (xid, tail) = tail.split_at_checked(usize::from(*size))?;
        rest = tail;
        Some(xid)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Guid = Guid([1; 16]);
    const B: Guid = Guid([2; 16]);

    #[test]
    fn the_list_has_the_latest_change_of_each_replica_by_guid() {
        let first = merge(&[], &xid(B, GlobCnt(0x102)));
        assert_eq!(first[..2], [22, 2]);
        assert_eq!(first[17..], [0, 0, 0, 0, 1, 2]);
        let second = merge(&first, &xid(A, GlobCnt(7)));
        let third = merge(&second, &xid(B, GlobCnt(0x101)));
        assert_eq!(second, third, "an older change adds nothing");
        let fourth = merge(&third, &xid(B, GlobCnt(0x201)));
        assert_eq!(fourth.len(), 46);
        assert_eq!(fourth[1..23], xid(A, GlobCnt(7)));
        assert_eq!(fourth[24..], xid(B, GlobCnt(0x201)));
    }

    #[test]
    fn a_change_here_keeps_what_others_did() {
        assert_eq!(changed(A, GlobCnt(5), None), None);
        let foreign = Versions {
            change_key: xid(B, GlobCnt(9)),
            predecessors: merge(&[], &xid(B, GlobCnt(9))),
        };
        let after = changed(A, GlobCnt(5), Some(&foreign)).unwrap();
        assert_eq!(after.change_key, xid(A, GlobCnt(5)));
        let expected = merge(&merge(&[], &xid(A, GlobCnt(5))), &xid(B, GlobCnt(9)));
        assert_eq!(after.predecessors, expected);
    }
}
