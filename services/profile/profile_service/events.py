"""What the profile service publishes; it consumes nothing."""

from espace.bus import Event
from espace.bus.event import rfc3339
from profile_service.model import Confirmation, Profile


def email_confirmation_requested(profile: Profile, confirmation: Confirmation) -> Event:
    """A link has to be sent; who sends it asks for the address and the link."""
    return Event(
        type="be.espace.profile.email_confirmation_requested.v1",
        subject=str(profile.citizen_id),
        version=profile.version,
        data={
            "citizen_id": str(profile.citizen_id),
            "confirmation_id": str(confirmation.id),
            "expires_at": rfc3339(confirmation.expires_at),
        },
    )


def space_confirmed(profile: Profile) -> Event:
    """The citizen space exists from now on."""
    assert profile.space_confirmed_at is not None
    return Event(
        type="be.espace.profile.space_confirmed.v1",
        subject=str(profile.citizen_id),
        version=profile.version,
        data={
            "citizen_id": str(profile.citizen_id),
            "confirmed_at": rfc3339(profile.space_confirmed_at),
        },
    )
