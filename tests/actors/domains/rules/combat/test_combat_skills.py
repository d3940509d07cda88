from hypothesis import given
from hypothesis import strategies as st

from actors.domains.domain_types import SkillDef, SkillStatus, SkillTarget, StatusKind
from actors.domains.rules.combat import STARTER_SKILLS, normalise_skill

numbers = st.integers(0, 9999)
statuses = st.builds(SkillStatus, st.sampled_from(StatusKind), numbers, numbers, numbers)
skills = st.builds(
    SkillDef,
    st.just("x"),
    st.just("X"),
    st.sampled_from(SkillTarget),
    numbers,
    numbers,
    numbers,
    numbers,
    numbers,
    st.none() | statuses,
)


def skill(target=SkillTarget.ENEMY, power=0, heal=0, shield=0, mana=0, cooldown=0, status=None):
    return SkillDef("x", "X", target, power, heal, shield, mana, cooldown, status)


def test_starter_skills_are_normal():
    assert [normalise_skill(one) for one in STARTER_SKILLS] == list(STARTER_SKILLS)
    assert [(one.skill_id, one.mana_cost, one.cooldown_turns) for one in STARTER_SKILLS] == [
        ("power_strike", 8, 2),
        ("mend", 10, 3),
        ("brace", 8, 3),
        ("hinder", 6, 3),
    ]


def test_costs_follow_the_effect():
    made = normalise_skill(skill(power=9999))
    assert (made.power_permille, made.mana_cost, made.cooldown_turns) == (2500, 15, 3)
    made = normalise_skill(skill(SkillTarget.ALL_ENEMIES, power=9999))
    assert (made.power_permille, made.mana_cost, made.cooldown_turns) == (1400, 8, 2)
    made = normalise_skill(skill(SkillTarget.SELF, heal=9999))
    assert (made.heal_permille, made.mana_cost, made.cooldown_turns) == (500, 17, 3)
    made = normalise_skill(skill(SkillTarget.SELF, shield=9999))
    assert (made.shield_permille, made.mana_cost, made.cooldown_turns) == (400, 14, 1)
    made = normalise_skill(skill(power=1001, mana=9, cooldown=9))
    assert (made.mana_cost, made.cooldown_turns) == (9, 6)


def test_statuses_are_bounded():
    burn = SkillStatus(StatusKind.BURN, 9, 900, 2000)
    made = normalise_skill(skill(status=burn))
    assert made.status == SkillStatus(StatusKind.BURN, 4, 80, 1000)
    assert made.mana_cost == 3
    slow = SkillStatus(StatusKind.SLOW, 0, 900, 0)
    assert normalise_skill(skill(status=slow)).status == SkillStatus(StatusKind.SLOW, 1, 500, 0)


def test_an_immunity_cannot_be_authored():
    made = normalise_skill(skill(status=SkillStatus(StatusKind.STUN_IMMUNE, 1, 0, 1000)))
    assert made.status is None
    assert made.mana_cost == 0


@given(skills)
def test_normal_skills_stay_as_they_are(one):
    made = normalise_skill(one)
    assert normalise_skill(made) == made
    assert made.mana_cost >= one.mana_cost
    assert 1 <= made.cooldown_turns <= 6
