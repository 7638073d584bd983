-- Who said what a company's telephone and e-mail systems are: a person, or Freshservice. Columns with a
-- constant default rewrite no table; writers wait for milliseconds.
-- modify "companies" table
ALTER TABLE "companies" ADD COLUMN "phone_system_local" boolean NOT NULL DEFAULT false, ADD COLUMN "email_system_local" boolean NOT NULL DEFAULT false;
