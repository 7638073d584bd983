/** What the playground opens with: the question that everybody asks. */
export const firstQuery = `# One company with all that is known of it.
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
    tickets(year: 2025) {
      ticketId
      subject
      hours
    }
  }
}
`;
