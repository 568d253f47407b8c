"""Places: communes, provinces, districts and constituencies, as they were on a date."""
