"""What must agree before anything is deleted: guards, gate, rules, periods, approvals, members, who may do what."""
