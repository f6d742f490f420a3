"""Given names of many places, by which a person is told from a system: `Kofi broke`, but not `Redis broke`."""

from __future__ import annotations

import re

_ALONE = """
aaliyah aaron abby abdul abdullah abebe abel abena abigail abraham adaeze adam adel adele adil aditi aditya adrian
adriana agata agnes agnieszka ahmad ahmed aidan aiko aino aisha aisling ajay akash aki akira akosua alan alana alba
albert alberto aleksandr alejandra alejandro alessandra alessandro alexander alexandra alexei alexis alfred ali
alice alicia alina alison allan allen allison alma alvaro alyssa amal amanda amara amaya ambrose amelia amina amir
amit amita amy ana anand ananya anastasia anders andre andrea andreas andrei andrej andres andrew andrey andrzej
anete angela angelo angus anika anil anita anja anjali ankit anna annabel anne annette annie annika anthony antoine
anton antonia antonio anuj anya aoife aria ariana ariel arjun arman armando arne arnold arthur arturo aryan asha
ashley ashok asif astrid atsushi audrey august aurelie ava avi axel ayaan ayaka ayesha aylin ayumi azadeh aziz babak
barbara bart bartosz basil bastian beata beatrice beatriz belinda ben benedict benjamin benoit bernard bernd
bertrand beth bettina bianca bilal birgit bjorn bogdan boris brandon brenda brendan brian bridget bruce bruno bryan
caitlin calvin camila camille carla carlos carlotta carmen caroline carolina cassandra catarina catherine cecilia
cedric celia celine cesar chandra charles charlie charlotte chen chiara chidi chinedu chioma chloe chris christian
christina christine christoph christophe christopher ciara cindy claire clara claudia clemens connor conor constance
cristina curtis cyril czeslaw dagmar daisuke damian damien dan dana daniel daniela danielle danny dario darius
darren dave david dawid debbie deborah deepa deepak denis denise dennis derek deshawn devika diana diane diego
dieter dimitri dinesh diogo dirk divya dmitri dmitry dominic dominik dominique donald donna dorothea doug douglas
duncan dylan ebba eduardo edward edwin eeva efua ehsan eileen einar ekaterina elaine eleanor elena eleni elias elif
elisa elisabeth elise eliza elizabeth ella ellen ellie eloise elsa emeka emil emilia emilie emilio emily emma
emmanuel emre enrico enrique enzo eric erica erik erika erin ernest erwin esra esteban esther ethan eugene eva evan
evelyn ewa fabian fabio fahad farah farid farida fatima fatma fatou federica federico felicia felipe felix femi
ferdinand fernanda fernando filip filippo fiona florence florian folake frances francesca francesco francis
francisco francois frank franz freya frederic frederik friedrich fumiko gabriel gabriela gabriele gareth gary gauri
gavin geert gemma geoff george georgia georgios gerard gerhard giacomo gianni gideon gina giorgio giovanna giovanni
giulia giuseppe gloria gonzalo gopal gordon graham greg gregor gregory greta guillaume guillermo gunnar gunther
gustav gustavo hadiya haifa hakan halima hamid hamza hana hanna hannah hannes hans harald harini haruka haruki
haruto harriet harry harsh hasan hassan hayley heather hector heidi heiko helen helena helene helga hendrik henning
henrik henrique henry herbert hideo hilda hiro hiroshi hiroto holger hugo hussein ian ibrahim ida ignacio igor ikram
ilaria ilse iman imran ines ingrid inga ioana irene irina irma isaac isabel isabella isabelle ishaan ismail ivan
ivana izabela jaakko jack jackie jacob jacqueline jacques jada jaime jake jakob jakub jamal james jamie jan jana
jane janet janine jan-erik jared jarek jari jason javier jay jayden jeanne jeff jeffrey jelena jenna jennifer jenny
jens jeremy jerome jerry jesper jesse jessica jesus jiho jill jim jimmy jin jing joan joana joanna joao joaquin
jochen joe joel joelle johan johanna johannes john johnny jon jonah jonas jonathan joost jordan jordi jorge jose
josef joseph josephine josh joshua juan judith judy juha juho julian juliana julie julien juliette julius jun junko
jurgen justin justyna kacper kai kamal kamil kana kaori karan karel karen karim karin karina karl karolina kasia
katarina kate katerina katharina katherine kathleen kathrin kathryn katie katja katrin kavita kavya kayla kazuki
keiko keith kelly ken kenji kenneth kenta kerstin kevin khaled khalid kiara kieran kim kimberly kiran kirsten klaas
klara klaus kofi koji konrad konstantin kristian kristina kristof krzysztof kumar kunal kurt kwabena kwame kyle kyra
lakshmi lamar lara larry lars latoya laura lauren laurence laurent layla lea leah lee leif leila lena leo leon
leonard leonardo leonie leroy lesley leticia lewis liam lidia lily lin lina linda ling linus lionel lisa liselotte
liu livia liz lizzie lorena lorenzo louis louisa louise luan luca lucas lucia luciana lucie lucy ludwig luigi luis
luisa lukas lukasz luke lydia lynn maarten maciej mads magda magdalena magnus mahmoud mai maja maki maksim malcolm
malik malin mamadou manfred manish manoj manuel manuela mara marcel marcela marcelo marcin marco marcos marcus marek
margaret margarita margot maria mariam mariana marianne marie mariela marija marika marina mario marion marissa
marjan marko markus marlene marta martha martin martina marwan mary maryam masashi mateo mateusz mathias mathieu
mathilde mats matt matteo matthew matthias matthieu maureen maurice mauricio maurizio maxim maxime maya megan mehdi
mehmet mei meike melanie melissa mercedes meredith mette mia micah michael michaela michal michel michele michelle
mick miguel mihai mika mike mikhail mikkel mila milan milena milos mina ming minh mio mira miriam mirjam mirko
miroslav misaki mitchell miyuki mohamed mohammad mohammed mohan mohit moira molly mona monica monika morgan moritz
morten moses moussa muhammad murat mustafa nabil nadia nadine nadja naima nakul nancy naoki naomi nasser natalia
natalie natasha nate nathalie nathan nathaniel navid navin nazanin neel neha neil nelson nia niamh nicholas nicola
nicolas nicole niels nigel nikhil nikita niklas niko nikola nikolai nikos nils nimra nina nirmala nisha nitin nnamdi
noah noam noel noelia noemi nora norbert norman nuno obinna octavia odette ole oleg olena olga oliver olivia olivier
olu omar oscar oskar osman otto owen pablo pamela paola paolo pascal patricia patricio patrick patrik paul paula
pauline paulo pavel pawel pedro peggy pekka peter petr petra petros philip philipp philippe phoebe pierre pieter
pilar pooja prakash pranav prasad prashant pravin priya przemek qing rachel radek rafael raffaele rahel rahul
raimund raj raja rajesh rajiv rakesh ralf ralph ramesh ramon ramona rania raquel rashid raul ravi raymond rebecca
reinhard remi renata renate rene reza ricardo riccardo richard rick ricky riku rina rishi rita roberta robert
roberto rodrigo roger rohan rohit roland rolf roman romain ronald ronan ronja rory rosa rosalind rosario rosemary
rosie ross roxana ruben rudolf rui rupert russell ruth ryan ryo saanvi sabine sabrina sachin sadia saif saira sakura
salma salman sam samantha sami samir samira samuel sana sandeep sander sandra sanjay sanna santiago santosh sara
sarah sasha sashank satoshi saskia saurabh scott sean sebastian selim selma sergei sergey sergio seung shabnam shane
shanice shannon sharon sheila shelly shin shira shirin shirley shreya shruti siddharth sigrid silas silke silvia
simon simona simone sina siobhan sofia sofie soledad solveig sonia sonja sophia sophie soren sota sri stacy stan
stanislav stefan stefania stefanie stefano steffen stella stephan stephanie stephen steve steven stuart sue sujata
sultan suman sunil suresh susan susana susanne suzanne svein sven svetlana swati sylvain sylvia sylvie taavi tadeusz
tahir takashi takeshi tamar tamara tamika tanja tanya tara tarek tariq tatiana tatjana taylor ted teresa tereza
terrence terry tess thabo thandi thea theo theodor theresa therese thijs thomas thorsten tiago tiffany tilda tim
timo timothy tina tobias tobi todd tom tomas tomasz tomek tomoko toni tony torben torsten tracy trevor trish tristan
troy tunde tuomas tyler tyrone udo ulf uli ulla ulrich ulrike umar urs ursula usha uwe vadim valentin valentina
valeria valerie vanessa varun vera veronica veronika vicente vicky victor vidya vijay vikas vikram viktor viktoria
vincent vinod violeta virginie vishal vitor vivek vivian vlad vladimir waleed walter wanda wang wanjiru wei wendy
wenjing werner wiktor wilhelm willem william wojciech wolfgang xavier xiao xin yan yana yanick yannick yara yasmin
yasmine yasmina yasuko yen yi ying yoko yolanda yonas yoshi youssef yu yuan yuka yuki yuko yuri yusuf yuto yvette
yvonne zac zach zachary zahra zainab zara zeynep zhang zoe zoltan zora zuzana
"""
_CAPITALISED = """
Abe Ada Al Alex Angel Ann Art Ash Bill Bob Brad Brook Carl Carol Cai Chad Chi Chuck Clay Cody Craig Dale Dawn Dean
Dee Dick Don Drew Earl Ed Fay Faith Fred Gene Glen Grace Grant Gus Guy Hope Hugh Iris Ivy Jade Jasmine Jean Joy Kay
Kit Lance Len Li Lou Mark Max Meg Miles Mo Nan Nat Ned Nick Ola Olive Pam Pat Penny Pete Ray Rich Robin Rob Rod Rose
Roy Sandy Sid Sky Sol Sunny Summer Tao Tess Tia Val Vic Wade Wes Zed
"""
"""Other words are spelt like these: only a capital makes them a name."""

GIVEN_NAMES = frozenset(re.findall(r"\S+", _ALONE))
"""In small letters."""
WITH_A_CAPITAL = frozenset(re.findall(r"\S+", _CAPITALISED))


def is_given_name(word: str) -> bool:
    """Whether somebody is called so: `Kofi` and `kofi`, `Mark` but not `mark`."""
    return word in WITH_A_CAPITAL or word.casefold() in GIVEN_NAMES
