DROP TABLE waiting_skills;
DROP TABLE agents;
