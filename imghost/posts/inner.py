"""Links into the writer's own network, which nobody else can open and nobody fetches."""

from __future__ import annotations

from imghost.models import Message

ONLY_YOU = Message("only you can see this, and it is not fetched; save the picture beside the post")
