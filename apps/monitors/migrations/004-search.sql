-- What a name is searched by, whatever the case and the form of its letters: the database may know ASCII alone
-- (`initdb --no-locale`), so the service folds it. `folded_of` is the name that it was folded of: where that is another,
-- an instance of the version before this one has changed it since, or nobody has folded it yet.
ALTER TABLE monitors ADD COLUMN name_folded text, ADD COLUMN folded_of text;
