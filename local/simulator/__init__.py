"""
A simulated Azure: resource rules, declared transitions and two fronts over one world.

KNOWN LIMITATIONS

* Only the resource types listed by `providers.MODULES` exist. Any other call answers 501 with a sentence that names
  it; nothing is guessed.
* There is no data plane: names are not resolved, blobs are not stored, images are not pulled. A private endpoint
  carries addresses and records, never traffic.
* Bodies hold the members that were seen in recorded answers of the service. Members that the service adds and no
  recording shows are missing, and a request is validated only where a rule of this package says so.
* The parameter `api-version` must be present and well formed; which versions a resource type accepts is checked only
  by the types that say so. An older version shows the newest body without the members that `shapes` lists.
* Time passes only as the caller says. Durations are medians of recorded runs, always the same for the same operation.
* Policies, management groups, quotas other than subnet addresses, and role inheritance through groups do not
  exist. Deny assignments exist, but whether the service puts one on a registry's managed group is unknown: an option.
* When the service tells Event Grid about a long operation is unknown: here at its successful end.
* Codes of some refusals are assumptions, because no recording shows them: an unknown group id, an endpoint that is to
  be moved, a second or too large zone group, a static address outside its subnet or taken.
* A linked right (joining a subnet, approving an endpoint) is refused by a missing role only; whether the service also
  looks at deny assignments there is unknown. Polling an operation needs a token and no right.
* When two endpoints write one name into one zone, the later one has it; when the earlier one goes, the record stays.
* What the service answers to an operation URL whose signature was altered is unknown: here 403.
"""
