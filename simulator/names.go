package simulator

// The words that simulated data is made of. Names are invented; domains end in .example (RFC 2606)
// and public addresses lie in the documentation networks of RFC 5737.

func firstNames() []string {
	return []string{
		"Ana", "Aaron", "Aisha", "Akira", "Amelia", "Anton", "Bea", "Boris", "Camille", "Carlos", "Chloé",
		"Dana", "Diego", "Elena", "Emeka", "Erik", "Fatima", "Felix", "Grace", "Hana", "Hugo", "Ines", "Ivan",
		"Jack", "Jasmin", "Jonas", "Kavya", "Kemal", "Lars", "Leila", "Liam", "Lucía", "Maja", "Marco", "Mei",
		"Mohamed", "Nadia", "Nils", "Noor", "Olga", "Oscar", "Paula", "Pedro", "Priya", "Quentin", "Rosa",
		"Ryan", "Sana", "Sofia", "Sven", "Tara", "Tomás", "Uma", "Victor", "Wanda", "Xavier", "Yara", "Zoë",
	}
}

func lastNames() []string {
	return []string{
		"Ruiz", "Abbott", "Adeyemi", "Andersson", "Baker", "Becker", "Bianchi", "Bose", "Carter", "Chen",
		"Costa", "Dubois", "Díaz", "Evans", "Fischer", "Fontaine", "Garcia", "Gupta", "Haddad", "Hansen",
		"Ito", "Ivanova", "Jansen", "Jensen", "Kaya", "Keller", "Khan", "Kim", "Kowalski", "Larsen", "Lopez",
		"Martin", "Meyer", "Moreau", "Müller", "Nakamura", "Novak", "O'Brien", "Okafor", "Olsen", "Park",
		"Patel", "Pereira", "Quinn", "Reyes", "Rossi", "Santos", "Schmidt", "Silva", "Singh", "Smit",
		"Sørensen", "Tanaka", "Torres", "Usman", "Varga", "Weber", "Wright", "Yilmaz", "Zhou",
	}
}

func companyFirstWords() []string {
	return []string{
		"Alder", "Amber", "Beacon", "Birch", "Blue Ridge", "Cascade", "Cedar", "Cobalt", "Copper", "Coral",
		"Delta", "Eastgate", "Elm Street", "Falcon", "Foxglove", "Granite", "Harbor", "Hazel", "Highland",
		"Ironwood", "Juniper", "Keystone", "Lakeside", "Lark", "Linden", "Magnolia", "Maple", "Meridian",
		"Midtown", "Northfield", "Oakmont", "Orchard", "Pioneer", "Quarry", "Redwood", "Riverside", "Sable",
		"Silverline", "Summit", "Tamarack", "Union", "Vista", "Westbrook", "Willow", "Zephyr",
	}
}

func companySecondWords() []string {
	return []string{
		"Dental", "Legal", "Accounting", "Architects", "Logistics", "Foods", "Pediatrics", "Insurance",
		"Construction", "Charter School", "Realty", "Veterinary", "Manufacturing", "Credit Union", "Design",
		"Foundation", "Surveying", "Staffing", "Press", "Optics",
	}
}

func streets() []string {
	return []string{
		"W Madison St", "N State St", "Lake Shore Dr", "Main St", "Oak Ave", "Industrial Pkwy", "Church Rd",
		"Harbor Blvd", "2nd St", "Market Sq",
	}
}

func cities() []string {
	return []string{
		"Chicago, IL 60602", "Evanston, IL 60201", "Milwaukee, WI 53202", "Madison, WI 53703",
		"Gary, IN 46402", "Joliet, IL 60432", "Naperville, IL 60540", "Rockford, IL 61101",
	}
}

func jobTitles() []string {
	return []string{
		"Office Manager", "Controller", "Receptionist", "Attorney", "Project Lead", "Engineer", "Nurse",
		"Teacher", "Warehouse Lead", "Sales Associate", "Director", "Bookkeeper", "Owner", "Designer",
	}
}

func subjects() []string {
	return []string{
		"Printer on the second floor does not print", "Outlook asks for the password again and again",
		"New laptop for a new colleague", "VPN drops every few minutes", "Cannot open the shared drive",
		"Phishing mail reported", "Backup of the file server failed", "Scanner sends empty pages",
		"Replace UPS battery", "Office 365 licence for two people", "Monitor stays black after the dock was moved",
		"Wi-Fi slow in the meeting room", "Restore a deleted folder", "Set up MFA on a new phone",
		"Server disk almost full", "Teams call without sound", "Firewall rule for the new phone system",
		"Excel crashes with a large workbook", "Patch window for the hypervisors", "Remove access of a former employee",
		"Domain renewal", "Conference room display", "Blue screen after update", "Voicemail to e-mail does not arrive",
	}
}

func operatingSystems() []string {
	return []string{
		"Microsoft Windows 11 Pro 10.0.26100", "Microsoft Windows 11 Pro 10.0.22631",
		"Microsoft Windows 10 Pro 10.0.19045", "macOS 15.3.1",
	}
}

func serverSystems() []string {
	return []string{
		"Microsoft Windows Server 2022 Standard 10.0.20348", "Microsoft Windows Server 2019 Standard 10.0.17763",
		"Ubuntu 24.04.2 LTS",
	}
}
