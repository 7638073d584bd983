/**
 * What the playground opens with: the question that everybody asks, with the tickets of the year (of
 * UTC, as the graph counts them) in which it is asked.
 */
export const firstQuery = (now: Date) => `# One company with all that is known of it.
# Ctrl-Enter runs the query, Ctrl-Space completes.
{
  company(accountNumber: "620547") {
    name
    assets {
      id
      hostname
      online
      backup {
        bytes
        usageTb
      }
      contacts {
        email
      }
    }
    assetsTotal {
      count
      backupBytes
    }
    contacts {
      id
      name
      email
    }
    locations {
      name
      address
    }
    tickets(year: ${String(now.getUTCFullYear())}) {
      ticketId
      subject
      hours
    }
  }
}
`;
