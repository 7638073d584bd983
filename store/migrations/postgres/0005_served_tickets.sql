-- The view ticket_details without the tickets of archived companies, which are not served either. It
-- locks nothing but the view.
CREATE OR REPLACE VIEW ticket_details AS
WITH served AS (
	SELECT
		ticket_id,
		company_account_number,
		CAST(ticket_id AS text) AS ticket_number,
		subject,
		description,
		description_text,
		status,
		priority,
		requester_email,
		requester_name,
		to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created_at,
		to_char(last_updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS last_updated_at,
		to_char(closed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS closed_at,
		CASE WHEN spent_seconds = 0 THEN 0.25 ELSE CAST(spent_seconds AS double precision) / 3600 END AS total_hours_spent,
		conversations,
		notes
	FROM tickets
	WHERE closed AND removed_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM companies AS c WHERE c.account_number = tickets.company_account_number AND c.archived_at IS NOT NULL)
)
SELECT * FROM served;
