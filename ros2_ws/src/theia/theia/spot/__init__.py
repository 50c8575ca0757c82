"""The bridge's side of Boston Dynamics' SDK. Needs the extra `spot`."""
