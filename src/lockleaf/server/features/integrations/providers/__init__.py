"""What each network asks and answers. Nothing here knows our database, or who somebody is to us."""
