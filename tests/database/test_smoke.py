def test_x(seat):
    print(seat.debit("a", 1000), seat.debit("a", 1000), seat.balance, seat.rows)
    print(seat.credit("w", 1000, "a"), seat.rollback("r","a"), seat.rollback("r2","zzz"))
    print(seat.asked_balance())
