-- The view ticket_details without the tickets of archived companies, which are not served either. It
-- locks nothing but the view.
DROP VIEW ticket_details;
CREATE VIEW ticket_details AS
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
	substr(created_at, 1, 19) || 'Z' AS created_at,
	substr(last_updated_at, 1, 19) || 'Z' AS last_updated_at,
	substr(closed_at, 1, 19) || 'Z' AS closed_at,
	CASE WHEN spent_seconds = 0 THEN 0.25 ELSE spent_seconds / 3600.0 END AS total_hours_spent,
	conversations,
	notes
FROM tickets
WHERE closed AND removed_at IS NULL
	AND NOT EXISTS (SELECT 1 FROM companies AS c WHERE c.account_number = tickets.company_account_number AND c.archived_at IS NOT NULL);
